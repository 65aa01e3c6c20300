"""HTTP over the latest snapshot: listen, guard, answer. Nothing here knows how a score is made."""
