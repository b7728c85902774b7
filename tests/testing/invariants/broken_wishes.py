"""Broken histories: what somebody asked for, and was not heeded; leases that nobody was told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.testing.invariants import events as e
from tests.testing.invariants.broken import breaks
from tests.testing.invariants.scribe import SECOND

if TYPE_CHECKING:
    from tests.testing.invariants.scribe import Scribe


def tell(h: Scribe, verb: e.Verb) -> None:
    """Pause or resume the queue."""
    call = h.call()
    h.note(e.Ask, "client", call=call, verb=verb, queue="q")
    h.note(e.Answered, "client", call=call)


@breaks("I3")
def given_out_while_paused(h: Scribe) -> None:
    h.submit()
    tell(h, "resume")
    tell(h, "pause")
    h.claim()


@breaks("I3")
def claimed_while_paused(h: Scribe) -> None:
    h.born()
    tell(h, "pause")
    h.run()


@breaks("I3")
def given_out_after_a_cancellation(h: Scribe) -> None:
    h.submit()
    h.claim()
    call = h.call()
    h.note(e.Ask, "client", call=call, verb="cancel", job_id="a")
    h.note(e.Answered, "client", call=call, seen=h.seen("running"))
    h.settle("release")
    h.claim(token=SECOND, attempt=2)


@breaks("I3")
def retried_too_often(h: Scribe) -> None:
    h.submit(max_retries=1)
    for attempt in (1, 2):
        h.claim(token=f"t{attempt}", attempt=attempt)
        h.settle("fail", token=f"t{attempt}")
    h.see("delayed", attempt=2, retry_count=2, expiries=0, interruptions=0)


@breaks("I6")
def renewed_by_a_stranger(h: Scribe) -> None:
    h.born()
    h.run()
    h.renew(token=SECOND, outcome="lease_lost")
    h.move("extend", lease_until=99_000_000)


@breaks("I6")
def handed_back_by_a_stranger(h: Scribe) -> None:
    h.born()
    h.run()
    h.claim()
    h.settle("release", token=SECOND, outcome="lease_lost")
    h.end("release", "pending", interruptions=1)


EARLY = "00000000-07d0-7000-8000-000000000000"
"""An id that was made at the second 2."""


@breaks("I12", skew=0.05)
def an_id_from_the_future(h: Scribe) -> None:
    h.born(EARLY)


@breaks("I12", skew=0.05)
def an_id_from_the_past(h: Scribe) -> None:
    h.wait(3.0)
    h.born(EARLY)


@breaks("I11")
def one_request_two_jobs_and_one_untold(h: Scribe) -> None:
    request = e.Request(queue="q", payload=e.digest("pa"), idempotency_key="i")
    h.ask_for(request)
    call = h.ask_for(request)
    for step, job_id in enumerate(("a", "b"), 1):
        job = e.Record(
            job_id=job_id, queue="q", status="pending", version=1, payload=request.payload
        )
        now = round(h.at * 1e6)
        h.note(e.Move, "store", step=step, store_time=now, event="enqueue", before=None, job=job)
    h.accept(call, "b", status="pending")


@breaks("I8", hand_back=5.0)
def a_lease_into_the_void(h: Scribe) -> None:
    h.born()
    h.run()
    h.wait(10.0)
    h.end("expire", "pending", expiries=1)
