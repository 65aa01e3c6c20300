"""Joint scores: how strange a service is over all queries of a group, and what each of them adds to it."""
