"""Opening a queue: from a URL to a running ``JobQueue``."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from actorq.clock import wall_clock
from actorq.core.policy import Policy
from actorq.errors import ConfigurationError
from actorq.runtime import Options, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from actorq.backends.backend import Store
    from actorq.face import JobQueue

_log = logging.getLogger("actorq")


def log_crash(actor: str, error: Exception) -> None:
    """Log a bug in an actor, once, with its traceback."""
    _log.error("actor crashed", exc_info=error, extra={"actor": actor})


def make_store(
    url: str, policy: Policy | None = None, clock: Callable[[], int] = wall_clock
) -> Store:
    """Make the store that ``url`` names; nothing is opened yet.

    ``memory://``, ``sqlite:///relative.db``, ``sqlite:////absolute.db`` (the query of the URL is not used).
    Raises ``ConfigurationError`` for another scheme.
    """
    parts = urlsplit(url)
    bounds = policy or Policy()
    match parts.scheme:
        case "memory":
            from actorq.backends.memory import MemoryStore

            return MemoryStore(bounds, clock)
        case "sqlite":
            from actorq.backends.sqlite import SqliteStore

            path = unquote(parts.path.removeprefix("/"))
            if not path or parts.netloc:
                raise ConfigurationError(
                    "a SQLite URL has three slashes before a relative path and four before an "
                    "absolute one: sqlite:///jobs.db"
                )
            return SqliteStore(path, bounds, clock)
        case scheme:
            raise ConfigurationError(
                f"no store is known by the scheme {scheme!r}: use memory:// or sqlite:///jobs.db"
            )


@asynccontextmanager
async def open_queue(
    url: str, *, policy: Policy | None = None, options: Options | None = None
) -> AsyncIterator[JobQueue]:
    """Open the store that ``url`` names and run a queue on it, inside the caller's task.

    Works on asyncio and trio. Leaving the block stops everything in order. An error that
    actorq cannot mend by itself leaves the block as an exception (group).
    """
    chosen = options or Options()
    if policy is not None:
        chosen = Options(
            policy=policy,
            pool_size=chosen.pool_size,
            mailbox_capacity=chosen.mailbox_capacity,
            grace=chosen.grace,
        )
    store = make_store(url, chosen.policy, chosen.clock)
    async with running(store, chosen, log_crash) as runtime:
        yield runtime.queue
