"""Tests of forecasts, file by file as in `exporter/forecast`."""
