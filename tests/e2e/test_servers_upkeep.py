"""No leader: every server promotes, reaps and prunes, and each job is moved exactly once (§8, rule 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from tests.e2e.doors import Door, Job, Pair
from tests.e2e.server_process import ACTORQ, Server

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MANY: Final = 400
DUE_S: Final = 1.0
PATIENCE_S: Final = 15.0


class Counted(Job):
    """What is read of a job whose writes are counted."""

    version: int


def take_all(door: Door, queue: str, **wish: object) -> list[Counted]:
    """Claim every job of a queue in one request."""
    answer = door.ask("POST", f"/queues/{queue}/dequeue", {"max": 2 * MANY, **wish})
    assert answer.status == 200, answer
    return msgspec.convert(answer.body, list[Counted])


def ack_all(door: Door, jobs: list[Counted]) -> None:
    """Complete jobs, many in one request."""
    items = [{"id": job.id, "action": "ack", "lease": job.token} for job in jobs]
    answer = door.ask("POST", "/jobs/settle", {"items": items})
    assert (answer.status, str(answer.body).count("'status': 200")) == (200, len(jobs))


def test_each_job_is_moved_once(place: Mapping[str, str], tmp_path: Path) -> None:
    """Two servers promote, reap and prune the same hundreds of jobs, and none is moved twice (I2, I7)."""
    with (
        Server(tmp_path, *ACTORQ, settings=place) as first,
        Server(tmp_path, *ACTORQ, settings=place) as second,
    ):
        pair = Pair.of([first.url(), second.url()])
        pair.here.put_many("reaped", MANY)
        lost = take_all(pair.there, "reaped", visibility_timeout=DUE_S)
        pair.here.put_many("promoted", MANY, delay=DUE_S)
        assert (len(lost), {job.version for job in lost}) == (MANY, {2})

        pair.there.wait_until("promoted", lambda f: f.pending == MANY, PATIENCE_S)
        promoted = take_all(pair.here, "promoted")
        # Created, promoted, claimed: a fourth write would have been somebody's second.
        assert (len(promoted), {job.version for job in promoted}) == (MANY, {3})
        ack_all(pair.there, promoted)

        pair.here.wait_until("reaped", lambda f: f.pending == MANY, PATIENCE_S)
        again = take_all(pair.there, "reaped")
        assert {(job.expiries, job.attempt, job.version) for job in again} == {(1, 2, 4)}
        assert len(again) == MANY
        ack_all(pair.here, again)
    check_pruning(tmp_path, place)


def check_pruning(folder: Path, place: Mapping[str, str]) -> None:
    """Let two servers start where much is to be pruned, and see that the books balance afterwards."""
    impatient = {**place, "RETENTION_COMPLETED": "0s"}
    with (
        Server(folder, *ACTORQ, settings=impatient) as first,
        Server(folder, *ACTORQ, settings=impatient) as second,
    ):
        pair = Pair.of([first.url(), second.url()])
        for queue in ("promoted", "reaped"):
            figures = pair.here.wait_until(queue, lambda f: f.completed == 0, PATIENCE_S)
            assert (figures.accepted, figures.pruned, figures.live) == (MANY, MANY, 0)
