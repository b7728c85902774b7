"""The actors: each knows messages, none knows another; ``actorq.runtime`` wires them."""
