"""Tests of the pages and the API, file by file as in `exporter/web`."""
