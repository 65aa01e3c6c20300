"""Tests of days and hours that are not like others, file by file as in `exporter/calendars`."""
