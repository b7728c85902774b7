"""Opening a queue: from a URL or settings to a running ``JobQueue``."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from msgspec.structs import replace

from actorq.core.place import Place
from actorq.runtime import Options, running
from actorq.settings import Settings
from actorq.stores import make_store

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from actorq.core.policy import Policy
    from actorq.face import JobQueue

_log = logging.getLogger("actorq")


def log_crash(actor: str, error: Exception) -> None:
    """Log a bug in an actor, once, with its traceback."""
    _log.error("actor crashed", exc_info=error, extra={"actor": actor})


@asynccontextmanager
async def open_queue(
    store: str | Place | Settings, *, policy: Policy | None = None, options: Options | None = None
) -> AsyncGenerator[JobQueue]:
    """Open a store and run a queue on it, inside the caller's task. Works on asyncio and trio.

    ``store`` is a URL (``make_store`` says which), a place with more to it than a URL, or settings
    (``actorq.settings.load({})`` reads them as the server does), which bring their own policy, number
    of writing lanes and grace. ``policy`` wins over both. Leaving the block stops everything in
    order; what the block raises leaves as it is. An error that actorq cannot mend by itself cancels
    the block and leaves as an exception group.
    """
    chosen = options or Options()
    if isinstance(store, Settings):
        place: Place | str = store.place()
        chosen = replace(
            chosen, policy=store.policy(), pool_size=store.pool_size, grace=store.grace
        )
    else:
        place = store
    if policy is not None:
        chosen = replace(chosen, policy=policy)
    made = make_store(place, chosen.policy, chosen.clock)
    async with running(made, chosen, log_crash) as runtime:
        yield runtime.queue
