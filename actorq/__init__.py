"""actorq: a distributed job queue with one fenced semantics on every store, for asyncio and trio."""

__version__ = "0.1.0"
