"""Tests of one query, file by file as in `exporter/query`."""
