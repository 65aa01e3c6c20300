"""Tests of the metrics, file by file as in `exporter/metrics`."""
