"""One query: its series, what is known of each, and how they are brought forward in time."""
