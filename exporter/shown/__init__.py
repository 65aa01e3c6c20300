"""What the pages and the API show: plain values, gathered from the running parts when somebody asks."""
