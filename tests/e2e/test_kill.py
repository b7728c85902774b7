"""``kill -9`` under load: nothing acknowledged is lost, nothing at-most-once starts twice (§10)."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec

from tests.e2e.history import Ended, History
from tests.e2e.load import QUEUE, VISIBILITY_S, Load, enqueue
from tests.e2e.server_process import ACTORQ, PATIENCE_S, Server, call

if TYPE_CHECKING:
    from pathlib import Path

KILLS = int(os.environ.get("ACTORQ_KILLS", "50"))
MOST_NOTES = 400
"""How much the clients have seen of a server, at most, when it is killed."""

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
            ended[job.id] = Ended(job.status, job.payload, job.attempt, job.result, job.dead_reason)
        path = page.next and f"/jobs?queue_name={QUEUE}&limit=200&cursor={page.next}"
    return ended


def test_a_server_may_be_killed_at_any_instruction(tmp_path: Path) -> None:
    """However often it dies under load, every promise to its clients holds afterwards (I1, I4, I6, I7)."""
    draw = random.Random(KILLS)
    history = History()
    load = Load(history)
    settings = {"SQLITE_PATH": str(tmp_path / "jobs.db"), "LOG_LEVEL": "warning"}
    load.produce()
    load.consume("worker")
    try:
        for _ in range(KILLS):
            with Server(tmp_path, *ACTORQ, settings=settings) as server:
                load.address.set(server.url())
                history.wait_for_more(draw.randrange(MOST_NOTES), PATIENCE_S)
                load.address.set(None)
                server.send(signal.SIGKILL)
                server.process.wait()
    finally:
        load.end()
    with Server(tmp_path, *ACTORQ, settings=settings) as server:
        url = server.url()
        drain(url, history)
        ended = read_all(url)
        figures = queue_figures(url)
    history.judge(ended)
    assert figures.accepted == len(ended) + figures.pruned
    assert len(history.acked) > KILLS
