"""The stores: one protocol, one semantics; each store knows only itself."""
