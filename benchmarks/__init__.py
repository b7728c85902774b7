"""What actorq costs, each figure next to its floor: ``python -m benchmarks``."""
