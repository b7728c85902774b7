"""The end of a campaign: every outcome becomes known, every job ends, and the books are compared."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec

from tests.e2e.history import Ended
from tests.e2e.load import QUEUE, VISIBILITY_S, Load, enqueue
from tests.e2e.server_process import call

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


class Shown(msgspec.Struct):
    """What is read of a job."""

    id: str
    status: str
    payload: str
    attempt: int
    retry_count: int
    expiries: int
    result: object
    dead_reason: str | None


class Page(msgspec.Struct):
    """What is read of a listing."""

    jobs: list[Shown]
    next: str | None = None


def drain(url: str, history: History) -> None:
    """Settle every unknown outcome by a repeat, then work until every job has ended."""
    load = Load(history)
    load.address.set(url)
    try:
        with closing(load.client()) as client:
            for asked in history.unknown():
                enqueue(client, history, asked)
        load.consume("last")
        deadline = time.monotonic() + SETTLE_S
        while (figures := queue_figures(url)).pending + figures.delayed + figures.running:
            assert time.monotonic() < deadline, figures
            load.stop.wait(VISIBILITY_S / 4)
    finally:
        load.end()


def queue_figures(url: str) -> Figures:
    """Return the figures of the one queue."""
    status, figures = call(url, "GET", f"/queues/{QUEUE}")
    assert status == 200
    return msgspec.convert(figures, Figures)


def read_all(url: str) -> dict[str, Ended]:
    """Return how every job of the queue stands."""
    ended: dict[str, Ended] = {}
    path: str | None = f"/jobs?queue_name={QUEUE}&limit=200"
    while path is not None:
        status, answer = call(url, "GET", path)
        assert status == 200
        page = msgspec.convert(answer, Page)
        for job in page.jobs:
            ended[job.id] = Ended(*msgspec.structs.astuple(job)[1:])
        path = page.next and f"/jobs?queue_name={QUEUE}&limit=200&cursor={page.next}"
    return ended


def judge(url: str, history: History) -> dict[str, Ended]:
    """Bring everything to its end at a server that is well, and compare it with what was seen."""
    drain(url, history)
    ended = read_all(url)
    history.judge(ended)
    figures = queue_figures(url)
    assert figures.accepted == len(ended) + figures.pruned
    return ended
