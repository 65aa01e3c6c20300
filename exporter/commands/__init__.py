"""One file per command: what it does once the arguments are parsed and wired."""
