"""Speed and quality figures; each file prints its own tables. `make bench` runs the speed ones."""
