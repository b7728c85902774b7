"""The floors: the same work with nothing around it that is not needed."""
