"""PromQL over HTTP: the only room that speaks to the time series database."""
