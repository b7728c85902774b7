"""Workers: how fast they run jobs that do nothing, what they keep in memory, and how they end."""
