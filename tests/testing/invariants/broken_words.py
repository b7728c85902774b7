"""Broken histories, seen from the outside: whose word counts (I6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.testing.invariants import events as e
from tests.testing.invariants.broken import breaks
from tests.testing.invariants.scribe import FIRST, SECOND

if TYPE_CHECKING:
    from tests.testing.invariants.scribe import Scribe


@breaks("I6")
def one_token_for_two_attempts(h: Scribe) -> None:
    h.submit()
    h.claim()
    h.wait(20.0)
    h.claim(attempt=2)


@breaks("I6")
def one_claim_started_twice(h: Scribe) -> None:
    h.submit()
    h.claim()
    h.work(e.Start)
    h.work(e.Start)


@breaks("I6")
def two_tokens_completed_it(h: Scribe) -> None:
    h.submit()
    h.settle("ack", token=FIRST)
    h.settle("ack", token=SECOND)


@breaks("I6")
def one_token_settled_in_two_ways(h: Scribe) -> None:
    h.submit()
    h.claim()
    h.settle("release")
    h.settle("fail")


@breaks("I6")
def a_stale_ack(h: Scribe) -> None:
    h.submit()
    h.claim()
    h.wait(20.0)
    h.claim(token=SECOND, attempt=2)
    h.settle("ack")


@breaks("I6")
def a_stale_release(h: Scribe) -> None:
    h.submit()
    h.claim()
    h.wait(20.0)
    h.claim(token=SECOND, attempt=2)
    h.settle("release")


@breaks("I6")
def a_stale_renewal(h: Scribe) -> None:
    h.submit()
    h.claim()
    h.wait(20.0)
    h.claim(token=SECOND, attempt=2)
    h.renew()


@breaks("I6")
def a_holder_refused(h: Scribe) -> None:
    h.submit()
    h.claim()
    h.settle("ack", outcome="lease_lost")


@breaks("I6")
def a_holder_not_renewed(h: Scribe) -> None:
    h.submit()
    h.claim()
    h.renew(outcome="lease_lost")


@breaks("I6")
def the_result_of_another(h: Scribe) -> None:
    h.submit()
    h.claim()
    h.settle("ack", result=e.digest("mine"))
    h.see("completed", result=e.digest("another's"))
