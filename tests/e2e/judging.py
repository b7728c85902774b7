"""The end of a campaign: every outcome becomes known, every job ends, and the oracle judges it all."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec

from actorq.testing import invariants
from actorq.testing.invariants import events as e
from tests.e2e.load import QUEUE, VISIBILITY_S, Load, enqueue
from tests.e2e.server_process import call
from tests.e2e.shown import Shown

if TYPE_CHECKING:
    from tests.e2e.history import History

SETTLE_S = 30.0


class Figures(msgspec.Struct):
    """What is read of a queue's figures."""

    accepted: int
    pruned: int
    pending: int
    delayed: int
    running: int
    completed: int
    dead: int
    cancelled: int

    def counts(self) -> dict[str, int]:
        """Return the figures by status."""
        figures = msgspec.structs.asdict(self)
        return {name: figures[name] for name in figures if name not in {"accepted", "pruned"}}


class Page(msgspec.Struct):
    """What is read of a listing."""

    jobs: list[Shown]
    next: str | None = None


def drain(url: str, history: History) -> None:
    """Settle every unknown outcome by a repeat, then work until every job has ended."""
    history.note(e.Healed)
    load = Load(history)
    load.address.set(url)
    try:
        with closing(load.client()) as client:
            for asked in history.unsettled():
                enqueue(client, history, asked)
        load.consume("last")
        deadline = time.monotonic() + SETTLE_S
        while (figures := queue_figures(url)).pending + figures.delayed + figures.running:
            assert time.monotonic() < deadline, figures
            load.stop.wait(VISIBILITY_S / 4)
    finally:
        load.end()


def judge(url: str, history: History) -> dict[str, Shown]:
    """Read everything at a server that is well and has nothing to do, and have it all judged."""
    history.note(e.Quiet)
    since = time.monotonic()
    figures = queue_figures(url)
    history.note(
        e.Counted,
        since=since,
        queue=QUEUE,
        counts=figures.counts(),
        accepted=figures.accepted,
        pruned=figures.pruned,
    )
    since = time.monotonic()
    jobs = read_all(url)
    for job in jobs.values():
        history.note(e.Audited, since=since, job_id=job.id, seen=job.seen())
    history.note(e.Listed, since=since, queue=QUEUE, job_ids=tuple(jobs))
    assert not invariants.judge(history.events)
    assert not history.unsettled()
    for job in jobs.values():
        # No handler fails: only the loss of its worker ends a job that is started at most once.
        completed = job.status == "completed"
        lost = job.dead_reason == "lease_expired" and job.delivery == "at_most_once"
        assert completed or lost, job
    return jobs


def queue_figures(url: str) -> Figures:
    """Return the figures of the one queue."""
    status, figures = call(url, "GET", f"/queues/{QUEUE}")
    assert status == 200
    return msgspec.convert(figures, Figures)


def read_all(url: str) -> dict[str, Shown]:
    """Return how every job of the queue stands."""
    found: dict[str, Shown] = {}
    path: str | None = f"/jobs?queue_name={QUEUE}&limit=200"
    while path is not None:
        status, answer = call(url, "GET", path)
        assert status == 200
        page = msgspec.convert(answer, Page)
        found |= {job.id: job for job in page.jobs}
        path = page.next and f"/jobs?queue_name={QUEUE}&limit=200&cursor={page.next}"
    return found
