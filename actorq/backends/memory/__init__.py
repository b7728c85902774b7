"""The memory store: dictionaries and heaps, thread-safe, the reference for all others."""

from actorq.backends.memory.store import MemoryStore

__all__ = ["MemoryStore"]
