"""Reports for people: what is gathered for one, and the page it becomes."""
