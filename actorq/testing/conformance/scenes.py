"""Scenes: a job brought into any status, and every way to act on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Unpack

from actorq.core.commands import Edit, Extend, Report
from actorq.core.instants import to_us
from actorq.core.retry import Failure
from actorq.core.transitions import TRANSITIONS, WAITING, Event, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.core.job import Job
    from actorq.testing.conformance.bench import Bench, Wish

DELAY_S = 0.5
"""How long a scene's delayed job is delayed, its lapsing job may wait, in seconds."""

VISIBILITY_S = 1.0
"""How long a scene's lease holds, in seconds."""


def bring(bench: Bench, status: Status, **wish: Unpack[Wish]) -> Job:
    """Make a job that has this status, alone in its queue; a running one has a short lease."""
    if status is Status.DELAYED:
        wish.setdefault("delay", DELAY_S)
    job = bench.put(**wish)
    if status is Status.CANCELLED:
        bench.cancel(job)
    elif status not in WAITING:
        bench.take(job, visibility_timeout=VISIBILITY_S)
        if status is Status.COMPLETED:
            bench.ack(job.id)
        elif status is Status.DEAD:
            bench.fail(job.id, None, Failure("broken", retryable=False))
    brought = bench.get(job)
    assert brought.status is status
    return brought


def sweep(bench: Bench) -> None:
    """Do everything that a server does by itself as time goes by."""
    bench.promote()
    bench.reap()


@dataclass(frozen=True)
class Act:
    """One way to act on a job; the first of ``events`` that its status allows is what happens."""

    name: str
    events: tuple[Event, ...]
    perform: Callable[[Bench, Job], object]

    def outcome(self, status: Status) -> Status | None:
        """Return the status that follows by the one table; None when the act must be refused."""
        found = (
            TRANSITIONS[status, event] for event in self.events if (status, event) in TRANSITIONS
        )
        return next(found, None)


def _edit(bench: Bench, job: Job, delay: float | None) -> object:
    return bench.backend.update_job([Edit(id=job.id, priority=1, delay=delay)])[0]


def _promote(bench: Bench) -> object:
    bench.advance(DELAY_S + 0.1)
    return bench.promote()


def _reap(bench: Bench) -> object:
    bench.advance(VISIBILITY_S + 0.1)
    return bench.reap()


def _abort(bench: Bench, job: Job) -> object:
    if job.status is Status.RUNNING:
        bench.cancel(job)
    return bench.fail(job.id)


ACTS: Final[tuple[Act, ...]] = (
    Act("promote", (Event.PROMOTE,), lambda bench, _: _promote(bench)),
    Act("reschedule", (Event.RESCHEDULE, Event.EDIT), lambda b, job: _edit(b, job, 60.0)),
    Act("hurry", (Event.PROMOTE, Event.EDIT), lambda bench, job: _edit(bench, job, 0.0)),
    Act("edit", (Event.EDIT,), lambda bench, job: _edit(bench, job, None)),
    Act("claim", (Event.CLAIM,), lambda bench, _: bench.claim()),
    Act("ack", (Event.ACK,), lambda bench, job: bench.ack(job.id)),
    Act("retry", (Event.RETRY,), lambda bench, job: bench.fail(job.id)),
    Act(
        "reject", (Event.BURY,), lambda b, job: b.fail(job.id, None, Failure("x", retryable=False))
    ),
    Act("release", (Event.RELEASE,), lambda bench, job: bench.release(job.id)),
    Act("postpone", (Event.POSTPONE,), lambda bench, job: bench.release(job.id, None, 60.0)),
    Act("expire", (Event.EXPIRE,), lambda bench, _: _reap(bench)),
    Act("extend", (Event.EXTEND,), lambda b, job: b.backend.extend([Extend(job.id)])[0]),
    Act("report", (Event.EXTEND,), lambda b, job: b.backend.report([Report(job.id, None, "1")])[0]),
    Act("abort", (Event.ABORT,), _abort),
    Act(
        "cancel", (Event.CANCEL, Event.REQUEST_CANCEL), lambda b, job: b.backend.cancel([job.id])[0]
    ),
    Act("redrive", (Event.REDRIVE,), lambda bench, job: bench.backend.redrive([job.id])[0]),
)
"""Every event of the table can be brought about by one of these, but for the lapse: it needs a wish."""


def lapsing(bench: Bench) -> int:
    """Return the ``expires_at`` of a job that may not start after a moment."""
    return bench.now() + to_us(DELAY_S)


def at_its_time(bench: Bench, instant: int, act: Callable[[], object]) -> None:
    """Act again and again as time goes by: in vain before ``instant``, and not in vain after it."""
    while True:
        before = bench.now()
        if act():
            assert bench.now() >= instant, "too early"
            return
        assert before < instant, "too late"
        bench.advance(0.3)
