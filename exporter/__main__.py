"""`python -m exporter` is the `tidemark` command."""

from exporter.cli import main

main()
