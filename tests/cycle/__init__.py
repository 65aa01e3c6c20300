"""Tests of the cycle, file by file as in `exporter/cycle`."""
