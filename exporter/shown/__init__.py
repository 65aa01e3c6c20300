"""What the pages and the API show, gathered from the running parts when somebody asks for it."""
