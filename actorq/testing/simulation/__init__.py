"""A whole cluster in one thread, with virtual time: a failure is a seed, and can be run again."""
