"""Where a store is, and what it is asked to promise there."""

from typing import Literal

import msgspec

Durability = Literal["strict", "relaxed"]
"""Whether a store that may lose acknowledged jobs is refused, or only warned of."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A store's URL, and what does not stand in it.

    ``namespace`` keeps applications apart: a schema in PostgreSQL, a key prefix in Redis.
    ``listen_dsn`` is PostgreSQL's address for notifications, where ``url`` leads to a pooler in
    transaction mode; None: the same. A write on Redis counts when ``wait_replicas`` replicas have it; it
    is unknown after ``wait_timeout`` seconds.
    """

    url: str
    namespace: str = "actorq"
    listen_dsn: str | None = None
    durability: Durability = "relaxed"
    wait_replicas: int = 0
    wait_timeout: float = 1.0

    def __repr__(self) -> str:
        """Show the scheme alone: the rest may hold a password."""
        return f"Place({self.url.partition(':')[0]}://…)"
