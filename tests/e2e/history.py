"""What clients and workers saw, written down outside the server while it happens, by many threads."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from actorq.testing.invariants import events as e
from tests.e2e.shown import Shown, result_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SLACK_S = 0.1
"""How far the clock of the tests and that of a store may drift apart over one lease."""


class Asked(NamedTuple):
    """One request for a job: its own idempotency key and what it asked for."""

    key: str
    payload: str
    delivery: e.Delivery


class History:
    """The events of a campaign, for the oracle; ``name`` of whoever records is the thread's."""

    def __init__(self) -> None:
        self.events: list[e.Event] = []
        self.accepted: dict[str, str] = {}
        """Idempotency key to job id, for each enqueue that was acknowledged."""
        self.acked: set[str] = set()
        """Ids of the jobs whose ack was acknowledged."""
        self._asked: dict[str, Asked] = {}
        self._lock = threading.Condition()
        self._notes = 0
        self._calls = 0
        self.note(e.Terms, slack=SLACK_S)

    def note(self, kind: Callable[..., e.Event], **fields: object) -> None:
        """Record an event of now."""
        with self._lock:
            name = threading.current_thread().name
            self.events.append(kind(at=time.monotonic(), actor=name, **fields))

    def ask(self, asked: Asked, queue: str) -> str:
        """Note that a job is about to be asked for; return the name of the call."""
        call = self._call()
        request = e.Request(
            queue=queue,
            payload=e.digest(asked.payload),
            delivery=asked.delivery,
            idempotency_key=asked.key,
        )
        self.note(e.Submit, call=call, request=request)
        with self._lock:
            self._asked[asked.key] = asked
            self._count()
        return call

    def accept(self, call: str, key: str, job: Shown, *, replayed: bool) -> None:
        """Note an acknowledged enqueue."""
        self.note(e.Accepted, call=call, job_id=job.id, status=job.status, replayed=replayed)
        with self._lock:
            self.accepted[key] = job.id
            self._count()

    def unknown(self, call: str) -> None:
        """Note that nobody will know what became of a call."""
        self.note(e.Unknown, call=call)

    def claim(self, queue: str, visibility: float, wait: float) -> str:
        """Note that a job is about to be claimed; return the name of the call."""
        call = self._call()
        self.note(e.Claim, call=call, queue=queue, visibility=visibility, wait=wait)
        return call

    def claimed(self, call: str, jobs: Sequence[Shown]) -> None:
        """Note what a claim was given, and that its work begins."""
        self.note(e.Claimed, call=call, jobs=tuple(job.taken() for job in jobs))
        for job in jobs:
            self.note(e.Start, job_id=job.id, attempt=job.attempt, token=job.token)
            with self._lock:
                self._count()

    def ack(self, job: Shown) -> str:
        """Note that a job is about to be acknowledged, with its token for a result."""
        call, token = self._call(), job.token
        result = result_digest(token)
        self.note(e.Settle, call=call, job_id=job.id, action="ack", token=token, result=result)
        return call

    def acknowledged(self, call: str, job: Shown) -> None:
        """Note that an ack was accepted, and how the job stood then."""
        self.note(e.Settled, call=call, outcome="ok", seen=job.seen())
        with self._lock:
            self.acked.add(job.id)
            self._count()

    def refused(self, call: str, outcome: e.Outcome) -> None:
        """Note that an ack came too late."""
        self.note(e.Settled, call=call, outcome=outcome)

    def wait_for_more(self, count: int, patience: float) -> None:
        """Wait until ``count`` more notes were made: the load is under way, and this far."""
        with self._lock:
            goal = self._notes + count
            assert self._lock.wait_for(lambda: self._notes >= goal, patience), (
                "the load stands still"
            )

    def unsettled(self) -> list[Asked]:
        """Return the requests whose outcome nobody knows yet."""
        with self._lock:
            return [asked for key, asked in self._asked.items() if key not in self.accepted]

    def _call(self) -> str:
        with self._lock:
            self._calls += 1
            return f"call-{self._calls}"

    def _count(self) -> None:
        self._notes += 1
        self._lock.notify_all()
