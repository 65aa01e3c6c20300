"""Tests of bad times, file by file as in `exporter/diary`."""
