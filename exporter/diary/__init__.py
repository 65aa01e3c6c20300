"""Bad times: which windows there are, as configured, heard from Alertmanager, and kept by the TSDB."""
