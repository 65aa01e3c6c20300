"""Tests of the configuration, file by file as in `exporter/config`."""
