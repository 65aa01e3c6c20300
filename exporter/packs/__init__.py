"""Ready sets of queries, one YAML file each."""
