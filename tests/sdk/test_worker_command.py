"""``actorq worker`` as an operator meets it: signals, crashes, several processes, exit codes."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio
import pytest

from actorq import JobHandle, Status, open_queue
from tests.e2e.server_process import ACTORQ, Server
from tests.sdk.program import app, block, die, nap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from actorq import Call, Job

GRACE_S = 2.0
LATE_S = 1.0
"""Seconds beyond the grace within which a process that was told to stop is gone."""

QUIET = {"LOG_LEVEL": "warning", "GRACE": str(GRACE_S)}
SHORT_LEASES = {**QUIET, "VISIBILITY_TIMEOUT": "1s"}
STORE = ("--store", "sqlite:///jobs.db")


class Word(NamedTuple):
    """What a handler said: a word, for which job, in which process."""

    word: str
    job_id: str
    pid: int


class Hired(Server):
    """A worker of the test program, in a process of its own."""

    def __init__(self, folder: Path, *flags: str, settings: Mapping[str, str] = QUIET) -> None:
        super().__init__(
            folder, "-m", "actorq", "worker", "tests.sdk.program:app", *flags, settings=settings
        )
        self.words: list[Word] = []
        self.announced = 0

    def hear(self, word: str, count: int = 1) -> list[Word]:
        """Wait until handlers have said this word so often; return when they did."""
        while len(found := [each for each in self.words if each.word == word]) < count:
            assert self._listen(), self.end()
        return found

    def hear_of(self, count: int) -> None:
        """Wait until so many processes have said that they work."""
        while self.announced < count:
            assert self._listen(), self.end()

    def hear_out(self) -> None:
        """Listen until nobody is left who could say anything."""
        while self._listen():
            pass

    def _listen(self) -> bool:
        line = self.said()
        if " works as " in line:
            self.announced += 1
        elif line:
            word, job_id, pid = line.split()
            self.words.append(Word(word, job_id, int(pid)))
        return bool(line)


def enqueue(where: str, calls: Sequence[Call[Any]]) -> list[str]:
    """Enqueue calls; return the ids of their jobs."""

    async def main() -> list[str]:
        async with app.connect(where):
            handles = await app.enqueue_many(calls)
            return [handle.id for handle in handles if isinstance(handle, JobHandle)]

    return anyio.run(main)


def read(folder: Path, ids: Sequence[str]) -> list[Job]:
    """Return jobs as the store has them."""

    async def main() -> list[Job]:
        async with open_queue(at(folder)) as queue:
            return [await queue.get_job(job_id) for job_id in ids]

    return anyio.run(main)


def at(folder: Path) -> str:
    """Return the store of a test."""
    return f"sqlite:///{folder}/jobs.db"


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_a_stop_under_load_costs_nothing(tmp_path: Path, loop: str) -> None:
    """SIGTERM: gone within the grace, 0 jobs failed, 0 retries spent, none done twice (A8, I8)."""
    ids = enqueue(at(tmp_path), [nap.call(60.0), block.call(0.3), *[nap.call(0.02)] * 600])
    with Hired(tmp_path, *STORE, "--event-loop", loop, "--concurrency", "8") as worker:
        worker.hear("end", 50)
        sent = worker.send(signal.SIGTERM)
        code, events = worker.end()
        assert time.monotonic() - sent < GRACE_S + LATE_S
        assert (code, events) == (0, [])
        worker.hear_out()
    endless, *others = read(tmp_path, ids)
    assert (endless.status, endless.interruptions) == (Status.PENDING, 1)
    done = [job.id for job in others if job.status is Status.COMPLETED]
    assert 50 <= len(done) < len(others)
    assert Counter(each.job_id for each in worker.hear("end", len(done))) == Counter(done)
    for job in [endless, *others]:
        assert (job.retry_count, job.expiries, job.errors) == (0, 0, ())
        assert job.status in {Status.COMPLETED, Status.PENDING}


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_a_second_signal_skips_to_the_end(tmp_path: Path, loop: str) -> None:
    """Handlers are cancelled at once, their jobs handed back; the exit code tells the signal."""
    ids = enqueue(at(tmp_path), [nap.call(60.0)])
    settings = {"GRACE": "1h", "EVENT_LOOP": loop}
    with Hired(tmp_path, *STORE, settings=settings) as worker:
        worker.hear("start")
        worker.send(signal.SIGTERM)
        worker.logged('"stopping"')
        sent = worker.send(signal.SIGINT)
        code, events = worker.end()
        assert time.monotonic() - sent < LATE_S
        assert code == 128 + signal.SIGINT, events
    (job,) = read(tmp_path, ids)
    assert (job.status, job.interruptions, job.errors) == (Status.PENDING, 1, ())


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_a_function_that_never_ends_does_not_hold_the_process(tmp_path: Path, loop: str) -> None:
    """Nothing can interrupt its thread: it ends with the process, and its job goes back."""
    ids = enqueue(at(tmp_path), [block.call(60.0)])
    with Hired(tmp_path, *STORE, "--event-loop", loop) as worker:
        worker.hear("start")
        sent = worker.send(signal.SIGTERM)
        code, events = worker.end()
        assert time.monotonic() - sent < GRACE_S + LATE_S
        assert code == 0, events
    (job,) = read(tmp_path, ids)
    assert (job.status, job.interruptions, job.errors) == (Status.PENDING, 1, ())


def test_the_jobs_of_a_worker_that_was_killed_are_done_by_the_next(tmp_path: Path) -> None:
    """Kill -9 in mid job: redelivered when its lease is over, the crash counted (A1, I1)."""
    ids = enqueue(at(tmp_path), [nap.call(0.5)])
    with Hired(tmp_path, *STORE, settings=SHORT_LEASES) as first:
        first.hear("start")
        first.send(signal.SIGKILL)
        assert first.end()[0] == -signal.SIGKILL
    with Hired(tmp_path, *STORE, settings=SHORT_LEASES) as second:
        second.hear("end")
        second.send(signal.SIGTERM)
        assert second.end()[0] == 0
    (job,) = read(tmp_path, ids)
    assert (job.status, job.attempt, job.expiries) == (Status.COMPLETED, 2, 1)


def test_a_process_that_crashes_is_started_anew(tmp_path: Path) -> None:
    """Of several, the others go on; its job comes back; all end together, and none is left."""
    ids = enqueue(at(tmp_path), [nap.call(0.3), die.call(), *[nap.call(0.3)] * 6])
    flags = ("--processes", "2", "--concurrency", "2")
    with Hired(tmp_path, *STORE, *flags, settings=SHORT_LEASES) as worker:
        worker.hear("end", len(ids))
        event = worker.logged("a worker process ended")
        assert '"exit_code":9' in event
        worker.hear_of(3)
        sent = worker.send(signal.SIGTERM)
        code, events = worker.end()
        assert time.monotonic() - sent < GRACE_S + LATE_S
        assert code == 0, events
        worker.hear_out()
    jobs = read(tmp_path, ids)
    assert {job.status for job in jobs} == {Status.COMPLETED}
    crashed = next(each.pid for each in worker.words if each.job_id == ids[1])
    redelivered = {job.id for job in jobs if job.expiries}
    assert ids[1] in redelivered
    assert redelivered <= {each.job_id for each in worker.words if each.pid == crashed}


def test_processes_end_with_the_one_that_started_them(tmp_path: Path) -> None:
    """Even if it is killed: nobody is left behind who takes jobs unseen."""
    ids = enqueue(at(tmp_path), [nap.call(60.0)] * 2)
    flags = ("--processes", "2", "--concurrency", "1", "--event-loop", "trio")
    with Hired(tmp_path, *STORE, *flags) as worker:
        pids = {each.pid for each in worker.hear("start", 2)}
        assert len(pids) == 2
        assert worker.process.pid not in pids
        worker.send(signal.SIGKILL)
        # The pipe ends when the last of them has ended.
        worker.hear_out()
    assert {(job.status, job.interruptions) for job in read(tmp_path, ids)} == {(Status.PENDING, 1)}


def test_a_worker_of_a_server(tmp_path: Path) -> None:
    """By its URL alone; a server that goes away for good does not hold its worker's end."""
    with Server(tmp_path, *ACTORQ, settings={"BACKEND": "memory", **QUIET}) as server:
        url = server.url()
        with Hired(tmp_path, "--url", url, "--queue", "default=2", "--queue", "other") as worker:
            enqueue(url, [nap.call(0.01), block.call(0.01)])
            worker.hear("end", 2)
            server.send(signal.SIGKILL)
            server.end()
            sent = worker.send(signal.SIGTERM)
            assert worker.end()[0] == 0
            assert time.monotonic() - sent < GRACE_S + LATE_S


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere:app"], "there is no module 'nowhere' here"),
        (["tests.sdk.program:nothing"], "no actorq.App named 'nothing'"),
        (["tests.sdk.program"], "must be MODULE:APP"),
        (["tests.sdk.program:app", "--store", "memory://", "--processes", "2"], "cannot share"),
        (["tests.sdk.program:app", "--store", "ftp://x"], "no store is known by the scheme"),
        (["tests.sdk.program:app", "--store", "memory://", "--queue", "a b"], "/queues"),
        (["tests.sdk.program:app", "--store", "memory://", "--queue", "a=b"], "no weight"),
        (["tests.sdk.program:app", "--store", "memory://", "--concurrency", "0"], "/concurrency"),
    ],
)
def test_what_cannot_be_run_is_refused(tmp_path: Path, arguments: list[str], words: str) -> None:
    """Exit code 2, and a line that says what is wrong."""
    with Server(tmp_path, "-m", "actorq", "worker", *arguments) as worker:
        code, events = worker.end()
    assert code == 2
    assert words in events[-1]
    assert os.linesep.join(events).count("Traceback") == 0
