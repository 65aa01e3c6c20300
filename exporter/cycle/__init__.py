"""The cycle: whose turn it is, what runs beside the turns, what is kept, and the snapshot it all gives."""
