"""Days and hours that are not like others: calendars, periods and windows, out of the configuration."""
