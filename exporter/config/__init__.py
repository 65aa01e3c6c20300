"""`tidemark.yml`: its shape, what contradicts itself in it, and how it is read."""
