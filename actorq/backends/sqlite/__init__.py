"""The SQLite store: one file, nothing to install, every answer durable. The embedded default."""

from actorq.backends.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
