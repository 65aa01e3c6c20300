"""The rules, Alertmanager files and dashboards that travel with the package, made a user's own."""
