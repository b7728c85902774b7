"""The HTTP door: routes, problem documents, limits and the servers that carry them."""
