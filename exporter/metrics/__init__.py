"""The metrics of Tidemark: their catalogue, and how scores and figures about itself become text."""
