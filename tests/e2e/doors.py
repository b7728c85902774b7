"""One server as its clients see it: requests, and what is read of the answers."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final

import msgspec

from tests.e2e.server_process import ask

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from tests.e2e.server_process import Answer

LONG_S: Final = 20
"""Seconds that a consumer waits at most: longer than any of these tests."""


class Held(msgspec.Struct):
    """What is read of a lease."""

    token: str
    visibility_timeout: float


class Job(msgspec.Struct, kw_only=True):
    """What is read of a job."""

    id: str
    status: str
    payload: str
    attempt: int
    expiries: int = 0
    retry_count: int = 0
    interruptions: int = 0
    directive: str | None = None
    lease: Held | None = None

    @property
    def token(self) -> str:
        """Return the token of its lease."""
        assert self.lease is not None
        return self.lease.token


class Figures(msgspec.Struct):
    """What is read of a queue's figures."""

    accepted: int
    pruned: int
    pending: int
    delayed: int
    running: int
    completed: int
    dead: int

    @property
    def live(self) -> int:
        """Return how many jobs have not ended."""
        return self.pending + self.delayed + self.running


class Taken(msgspec.Struct):
    """A job that came to a waiting consumer, and when, by the monotonic clock."""

    job: Job
    at: float


class Door:
    """One server. What is not refused must succeed: everything else fails the test."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        """Send one request on a connection of its own."""
        return ask(self.url, method, path, body)

    def put(self, queue: str, **wish: object) -> Job:
        """Enqueue a job."""
        answer = self.ask("POST", "/jobs", {"queue_name": queue, "payload": "x", **wish})
        return _read(answer, 200, 201)

    def put_many(self, queue: str, count: int, **wish: object) -> None:
        """Enqueue many jobs in one request."""
        jobs = [{"queue_name": queue, "payload": str(number), **wish} for number in range(count)]
        answer = self.ask("POST", "/jobs/batch", {"jobs": jobs})
        assert answer.status == 200, answer

    def take(self, queue: str, **wish: object) -> Job | None:
        """Claim a job, if there is one."""
        answer = self.ask("POST", f"/queues/{queue}/dequeue", {"worker_id": "w", **wish})
        return None if answer.status == 204 else _read(answer, 200)

    def taken(self, queue: str, **wish: object) -> Job:
        """Claim a job that must be there."""
        job = self.take(queue, **wish)
        assert job is not None
        return job

    def get(self, job_id: str) -> Job:
        """Read a job."""
        return _read(self.ask("GET", f"/jobs/{job_id}"), 200)

    def changed(self, job_id: str, tag: str) -> Job:
        """Read a job when it is no longer as ``tag`` says, waiting for that."""
        path = f"/jobs/{job_id}?wait={LONG_S}"
        return _read(ask(self.url, "GET", path, headers={"If-None-Match": tag}), 200)

    def settle(self, verb: str, job: Job, **more: object) -> Job:
        """Call a holder's verb."""
        return _read(self.ask("POST", f"/jobs/{job.id}/{verb}", {"lease": job.token, **more}), 200)

    def order(self, queue: str, verb: str) -> None:
        """Pause or resume a queue."""
        answer = self.ask("POST", f"/queues/{queue}/{verb}")
        assert answer.status == 200, answer

    def set(self, queue: str, **settings: object) -> None:
        """Change settings of a queue."""
        answer = self.ask("PATCH", f"/queues/{queue}/settings", settings)
        assert answer.status == 200, answer

    def figures(self, queue: str) -> Figures:
        """Read the figures of a queue."""
        answer = self.ask("GET", f"/queues/{queue}")
        assert answer.status == 200, answer
        return msgspec.convert(answer.body, Figures)

    def wait_until(self, queue: str, true: Callable[[Figures], bool], patience: float) -> Figures:
        """Read the figures of a queue until they are as wished."""
        end = time.monotonic() + patience
        while not true(figures := self.figures(queue)):
            assert time.monotonic() < end, figures
        return figures


class Waiter:
    """A consumer that waits for a job of one queue, in a thread of its own."""

    def __init__(self, door: Door, queue: str) -> None:
        """Return when it waits: its first look at the store found nothing."""
        self._sent = threading.Event()
        self._taken: Future[Taken] = Future()
        threading.Thread(target=self._wait, args=(door, queue), daemon=True).start()
        assert self._sent.wait(LONG_S)
        # A lease manager looks for its consumers in their order: this one comes second.
        assert door.take(queue) is None

    def _wait(self, door: Door, queue: str) -> None:
        wish = {"worker_id": "waiter", "wait": LONG_S}
        try:
            answer = ask(door.url, "POST", f"/queues/{queue}/dequeue", wish, on_sent=self._sent.set)
            self._taken.set_result(Taken(_read(answer, 200), time.monotonic()))
        except BaseException as error:  # noqa: BLE001 - told to the test, which raises it
            self._taken.set_exception(error)

    def result(self) -> Taken:
        """Wait for the job."""
        return self._taken.result(LONG_S + 5)


class Pair:
    """Two servers on one place."""

    def __init__(self, here: Door, there: Door) -> None:
        self.here = here
        self.there = there

    @classmethod
    def of(cls, urls: list[str]) -> Self:
        """Name the servers."""
        here, there = urls
        return cls(Door(here), Door(there))


def _read(answer: Answer, *statuses: int) -> Job:
    assert answer.status in statuses, answer
    return msgspec.convert(answer.body, Job)
