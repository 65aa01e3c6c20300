"""Tests of the packs, file by file as in `exporter/packs`."""
