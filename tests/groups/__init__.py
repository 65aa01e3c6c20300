"""Tests of the joint scores, file by file as in `exporter/groups`."""
