"""A worker straight on a store: its leases are renewed from a thread, on a connection of that store's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from actorq import App, Context, injected
from actorq.core.instants import SECOND_US
from actorq.settings import load
from tests.e2e.places import SHARED, place_in

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE_S = 30.0


@pytest.mark.parametrize("store", SHARED)
async def test_a_worker_keeps_its_leases_in_every_store(store: str, tmp_path: Path) -> None:
    """The handler sees its own lease go on beyond its first end, and its job is run once (§4)."""
    app = App()

    @app.task
    async def work(*, context: Context = injected) -> str:
        lease, version = context.job.lease, context.job.version
        assert lease is not None
        first_end = lease.expires_at
        while lease.expires_at < first_end + SECOND_US // 2:
            job = await app.door.wait_for_change(context.job.id, version, 20.0)
            if job is not None and job.lease is not None:
                lease, version = job.lease, job.version
        return lease.worker_id

    with place_in(store, tmp_path) as place, anyio.fail_after(PATIENCE_S):
        settings = load({}, {"BACKEND": store, **place})
        async with app.worker(settings, visibility_timeout=1.0, worker_id="keeper") as worker:
            handle = await work.enqueue()
            assert await handle.result() == worker.worker_id == "keeper"
            job = await handle.job()
    assert (job.attempt, job.expiries) == (1, 0)
