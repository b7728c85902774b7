"""The store on Redis and Valkey: one script for each step that must be atomic."""

from actorq.backends.redis.link import Wait
from actorq.backends.redis.store import RedisStore

__all__ = ["RedisStore", "Wait"]
