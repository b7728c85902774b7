"""Opening a queue: from a URL or settings to a running ``JobQueue``."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from msgspec.structs import replace

from actorq.clock import wall_clock
from actorq.core.policy import Policy
from actorq.errors import ConfigurationError
from actorq.runtime import Options, running
from actorq.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

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

    ``memory://``, ``sqlite:///relative.db``, ``sqlite:////absolute.db``; what has a meaning in a URL is
    written as such: ``%3F`` for a question mark. Raises ``ConfigurationError`` for anything else.
    """
    parts = urlsplit(url)
    bounds = policy or Policy()
    if parts.query or parts.fragment:
        raise ConfigurationError(f"a store's URL has neither a query nor a fragment: {url!r}")
    match parts.scheme:
        case "memory":
            if url != "memory://":
                raise ConfigurationError("the memory store has no name: use memory://")
            from actorq.backends.memory import MemoryStore

            return MemoryStore(bounds, clock)
        case "sqlite":
            from actorq.backends.sqlite import SqliteStore

            path = unquote(url.removeprefix("sqlite:///"))
            if not url.startswith("sqlite:///") or not path:
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
    store: str | Settings, *, policy: Policy | None = None, options: Options | None = None
) -> AsyncGenerator[JobQueue]:
    """Open a store and run a queue on it, inside the caller's task. Works on asyncio and trio.

    ``store`` is a URL, or settings (``actorq.settings.load()`` reads them as the server does), which
    bring their own policy, number of writing lanes and grace. ``policy`` wins over both. Leaving the
    block stops everything in order; what the block raises leaves as it is. An error that actorq
    cannot mend by itself cancels the block and leaves as an exception group.
    """
    chosen = options or Options()
    if isinstance(store, Settings):
        url = store.store_url()
        chosen = replace(
            chosen, policy=store.policy(), pool_size=store.pool_size, grace=store.grace
        )
    else:
        url = store
    if policy is not None:
        chosen = replace(chosen, policy=policy)
    made = make_store(url, chosen.policy, chosen.clock)
    async with running(made, chosen, log_crash) as runtime:
        yield runtime.queue
