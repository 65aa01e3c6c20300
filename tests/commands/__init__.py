"""Tests of the commands, file by file as in `exporter/commands`."""
