"""The PostgreSQL store: one schema, any number of servers, every answer durable."""

from actorq.backends.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
