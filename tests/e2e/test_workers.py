"""Workers that are killed, frozen, or at a loss, over HTTP (rows A1-A4, A7, A9, E2, E3, F16)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.e2e.odd_worker import MOMENTS, VISIBILITY_S
from tests.e2e.server_process import ACTORQ, PATIENCE_S, ROOT, Server, ask, call

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

LATE_S = 2.0
"""A lease that has ended is noticed with the next beat; the rest is for a slow machine."""


BUDGETS = {"MAX_EXPIRIES": "1", "MAX_INTERRUPTIONS": "2"}


class Held(msgspec.Struct):
    """What is read of a lease; only its holder is shown the token."""

    token: str = ""


class Shown(msgspec.Struct):
    """What is read of a job."""

    id: str
    status: str
    version: int
    attempt: int
    expiries: int
    retry_count: int
    dead_reason: str | None
    errors: list[dict[str, object]]
    duplicate: bool = False
    lease: Held | None = None


class Page(msgspec.Struct):
    """What is read of a listing."""

    jobs: list[Shown]


class Note(msgspec.Struct):
    """One line of a worker's notes."""

    what: str
    id: str
    attempt: int
    token: str


class Site:
    """A server, and workers that come to grief on it."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.url = server.url()
        self._notes = folder / "notes"

    def put(self, queue: str, **wish: object) -> Shown:
        """Make a job."""
        status, made = call(
            self.url, "POST", "/jobs", {"queue_name": queue, "payload": "x", **wish}
        )
        assert status in {200, 201}, made
        return msgspec.convert(made, Shown)

    def take(self, queue: str, wait: float = 0) -> Shown | None:
        """Claim a job."""
        wish = {"worker_id": "sound", "wait": wait}
        status, job = call(self.url, "POST", f"/queues/{queue}/dequeue", wish)
        assert status in {200, 204}, job
        return None if status == 204 else msgspec.convert(job, Shown)

    def look(self, job_id: str) -> Shown:
        """Read a job."""
        status, job = call(self.url, "GET", f"/jobs/{job_id}")
        assert status == 200
        return msgspec.convert(job, Shown)

    def ended(self, job_id: str) -> Shown:
        """Wait until a job has ended."""
        job = self.look(job_id)
        while job.status in {"pending", "delayed", "running"}:
            known = {"If-None-Match": f'"{job.version}"'}
            ask(self.url, "GET", f"/jobs/{job_id}?wait=20", headers=known)
            job = self.look(job_id)
        return job

    def ack(self, job: Shown, token: str) -> int:
        """Acknowledge a job; returns the status."""
        return call(self.url, "POST", f"/jobs/{job.id}/ack", {"lease": token})[0]

    def employ(self, queue: str, moment: str, how: str) -> subprocess.Popen[bytes]:
        """Start a worker that dies or freezes."""
        command = [sys.executable, "-m", "tests.e2e.odd_worker"]
        arguments = [self.url, queue, str(self._notes), moment, how]
        return subprocess.Popen([*command, *arguments], cwd=ROOT)  # noqa: S603 - this file's own

    def bury(self, queue: str, moment: str) -> None:
        """Have a worker take a job and be killed over it."""
        with self.employ(queue, moment, "die") as worker:
            assert worker.wait(PATIENCE_S) == -signal.SIGKILL

    def notes(self) -> list[Note]:
        """Return what workers wrote down."""
        lines = self._notes.read_text("utf-8").splitlines()
        return [msgspec.convert(json.loads(line), Note) for line in lines]


@pytest.fixture
def site(tmp_path: Path) -> Generator[Site]:
    """Run a server on which a second lost lease is the end of a job, and a third hand-back a failure."""
    with Server(tmp_path, *ACTORQ, settings=BUDGETS) as server:
        yield Site(server, tmp_path)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_worker_s_job_is_given_out_again(site: Site, moment: str) -> None:
    """Killed before its start, within it, or before its ack: one more run, and a new token (A1, A2, A4)."""
    job = site.put("work")
    site.bury("work", moment)
    killed = time.monotonic()
    again = site.take("work", wait=20)
    assert time.monotonic() - killed < VISIBILITY_S + LATE_S
    assert again is not None
    assert again.lease is not None
    assert (again.id, again.attempt, again.expiries, again.retry_count) == (job.id, 2, 1, 0)
    first = site.notes()[-1]
    assert (first.what, first.id, first.attempt) == (moment, job.id, 1)
    assert first.token != again.lease.token
    assert site.ack(job, first.token) == 409
    assert site.look(job.id).status == "running"
    assert site.ack(job, again.lease.token) == 200


def test_a_killed_worker_ends_a_job_that_may_start_once(site: Site) -> None:
    """At most once: the job of a killed worker is dead, to be seen and counted, and never runs (A3, I4)."""
    job = site.put("once", delivery="at_most_once")
    site.bury("once", "working")
    dead = site.ended(job.id)
    assert (dead.status, dead.dead_reason, dead.attempt) == ("dead", "lease_expired", 1)
    page = ask(site.url, "GET", "/queues/once/dead").body
    assert [each.id for each in msgspec.convert(page, Page).jobs] == [job.id]
    assert site.take("once") is None
    assert call(site.url, "POST", f"/jobs/{job.id}/redrive")[0] == 409


def test_a_job_that_kills_its_workers_ends_dead(site: Site) -> None:
    """A poison pill takes down as many workers as leases may be lost, and others flow (A7, E2)."""
    pill = site.put("work", dedupe_key="k", priority=9)
    others = [site.put("work") for _ in range(3)]
    site.bury("work", "working")
    done: list[str] = []
    while len(done) < len(others):
        taken = site.take("work")
        assert taken is not None
        assert taken.lease is not None
        assert site.ack(taken, taken.lease.token) == 200
        done.append(taken.id)
    assert done == [job.id for job in others]
    # The key is held as long as its job lives, whatever became of the worker (E3).
    assert site.put("work", dedupe_key="k").id == pill.id
    site.bury("work", "working")
    dead = site.ended(pill.id)
    assert site.take("work") is None
    assert (dead.status, dead.dead_reason) == ("dead", "lease_expired")
    assert (dead.attempt, dead.expiries, dead.retry_count) == (2, 2, 0)
    fresh = site.put("work", dedupe_key="k")
    assert fresh.id != pill.id
    assert not fresh.duplicate


def test_a_frozen_worker_is_told_that_it_is_late(site: Site) -> None:
    """Frozen beyond its lease, a worker can do nothing more to a job that another holds (A9, I5, I6)."""
    job = site.put("work")
    with site.employ("work", "working", "freeze") as worker:
        try:
            os.waitid(os.P_PID, worker.pid, os.WSTOPPED | os.WNOWAIT)
            again = site.take("work", wait=20)
            assert again is not None
            assert again.lease is not None
            worker.send_signal(signal.SIGCONT)
            assert worker.wait(PATIENCE_S) == 0
        finally:
            worker.kill()
    tried = [note.what for note in site.notes()][3:]
    assert tried == ["extend 409", "fail 409", "progress 409", "release 409", "ack 409"]
    held = site.look(job.id)
    assert (held.status, held.attempt, held.retry_count) == ("running", 2, 0)
    assert [error["kind"] for error in held.errors] == ["lease_expired"]
    assert site.ack(job, again.lease.token) == 200


@pytest.mark.parametrize("verb", ["fail", "release"])
def test_a_job_that_no_worker_understands_ends_dead(site: Site, verb: str) -> None:
    """An unknown task or an unreadable payload is counted and ends dead; its worker goes on (F16)."""
    odd = site.put("work", task="no.such.task", max_retries=1, priority=9)
    others = {site.put("work").id for _ in range(3)}
    seen: Counter[str] = Counter()
    while len(seen) <= len(others) or site.look(odd.id).status != "dead":
        job = site.take("work", wait=20)
        assert job is not None
        assert job.lease is not None
        seen[job.id] += 1
        lease = {"lease": job.lease.token}
        if job.id == odd.id:
            more = {"retry_in": 0, "reason": "unknown task"} if verb == "fail" else {}
            assert call(site.url, "POST", f"/jobs/{job.id}/{verb}", {**lease, **more})[0] == 200
        else:
            assert site.ack(job, job.lease.token) == 200
    dead = site.look(odd.id)
    assert dead.dead_reason == "retries_exhausted"
    assert seen[odd.id] == dead.attempt > 1
    assert {job_id: site.look(job_id).status for job_id in others} == dict.fromkeys(
        others, "completed"
    )
