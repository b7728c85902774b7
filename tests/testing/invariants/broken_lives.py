"""Broken histories, seen from the outside: loss, states, single starts, leases, attempts, failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.testing.invariants import events as e
from tests.testing.invariants.broken import breaks
from tests.testing.invariants.scribe import SECOND

if TYPE_CHECKING:
    from tests.testing.invariants.scribe import Scribe


@breaks("I1")
def gone(h: Scribe) -> None:
    h.submit()
    h.see(None)


@breaks("I1")
def unlisted(h: Scribe) -> None:
    h.submit()
    h.submit("b")
    h.quiet()
    h.listed("b")


@breaks("I1", keeps=100.0)
def gone_too_soon(h: Scribe) -> None:
    h.submit()
    h.wait(99.0)
    h.see(None)


@breaks("I1")
def refused_and_run(h: Scribe) -> None:
    h.refuse(h.ask_for(e.Request(queue="q", payload=e.digest("pa"))))
    h.claim()


@breaks("I2")
def version_falls(h: Scribe) -> None:
    h.submit()
    h.see("pending", version=3)
    h.see("pending", version=2)


@breaks("I2")
def one_version_two_states(h: Scribe) -> None:
    h.submit()
    h.see("pending", version=2)
    h.see("delayed", version=2)


@breaks("I2")
def in_two_lists(h: Scribe) -> None:
    h.submit()
    h.quiet()
    h.listed("a", status="pending")
    h.listed("a", status="delayed")


@breaks("I2")
def in_the_wrong_list(h: Scribe) -> None:
    h.submit()
    h.quiet()
    h.see("pending")
    h.listed("a", status="delayed")


@breaks("I3")
def cancelled_and_given_out(h: Scribe) -> None:
    h.submit()
    h.ask("cancel")
    h.see("cancelled")
    h.claim()


@breaks("I3")
def completed_and_given_out(h: Scribe) -> None:
    h.submit()
    h.claim()
    h.settle("ack")
    h.wait(20.0)
    h.claim(token=SECOND, attempt=2)


@breaks("I3")
def completed_at_nobodys_word(h: Scribe) -> None:
    h.submit()
    h.see("completed")


@breaks("I3")
def cancelled_at_nobodys_word(h: Scribe) -> None:
    h.submit()
    h.see("cancelled")


@breaks("I3")
def back_from_the_end(h: Scribe) -> None:
    h.submit()
    h.ask("cancel")
    h.see("cancelled")
    h.see("pending")


@breaks("I3")
def back_from_the_dead(h: Scribe) -> None:
    h.submit(expires_in=1.0)
    h.see("dead", version=2)
    h.see("pending", version=3)


@breaks("I4")
def started_twice(h: Scribe) -> None:
    h.submit(delivery="at_most_once")
    h.claim(delivery="at_most_once")
    h.work(e.Start)
    h.settle("release")
    h.claim(token=SECOND, attempt=2, delivery="at_most_once")
    h.work(e.Start, token=SECOND, attempt=2)


@breaks("I4")
def done_twice(h: Scribe) -> None:
    h.submit(delivery="at_most_once")
    h.claim(delivery="at_most_once")
    h.work(e.Effect)
    h.work(e.Effect)


@breaks("I4")
def redriven_after_a_claim(h: Scribe) -> None:
    h.submit(delivery="at_most_once")
    h.claim(delivery="at_most_once")
    h.settle("fail")
    h.ask("redrive")


@breaks("I5")
def given_out_during_a_lease(h: Scribe) -> None:
    h.submit()
    h.claim()
    h.wait(9.0)
    h.claim(token=SECOND, attempt=2)


@breaks("I5")
def given_out_during_a_renewed_lease(h: Scribe) -> None:
    h.submit()
    h.claim()
    h.wait(8.0)
    h.renew()
    h.wait(8.0)
    h.claim(token=SECOND, attempt=2)


@breaks("I5")
def given_out_though_the_ack_was_unheard(h: Scribe) -> None:
    h.submit()
    h.claim()
    h.settle("ack", outcome="unknown")
    h.claim(token=SECOND, attempt=2)


@breaks("I7")
def attempts_fall(h: Scribe) -> None:
    h.submit()
    h.claim(attempt=2)
    h.settle("release")
    h.claim(token=SECOND, attempt=1)


@breaks("I7")
def an_attempt_given_out_twice(h: Scribe) -> None:
    h.submit()
    first, second = h.call(), h.call()
    h.note(e.Claim, "worker", call=first, queue="q")
    h.note(e.Claim, "worker", call=second, queue="q")
    h.note(e.Claimed, "worker", call=first, jobs=(h.taken("a", "t1", 1),))
    h.note(e.Claimed, "worker", call=second, jobs=(h.taken("a", "t2", 1),))


@breaks("I7")
def fewer_attempts_than_known(h: Scribe) -> None:
    h.submit()
    h.claim()
    h.see("running", attempt=0)


@breaks("I7")
def more_attempts_than_possible(h: Scribe) -> None:
    h.submit()
    h.see("pending", attempt=1)
    h.claim()


@breaks("I7")
def an_attempt_that_nothing_ended(h: Scribe) -> None:
    h.submit()
    h.claim()
    h.wait(20.0)
    h.see("pending", attempt=1, retry_count=0, expiries=0, interruptions=0)


@breaks("I8")
def stopped_and_called_a_failure(h: Scribe) -> None:
    h.submit()
    h.claim()
    h.work(e.Start)
    h.work(e.End, how="stopped")
    h.settle("fail")


@breaks("I8")
def a_failure_that_nobody_reported(h: Scribe) -> None:
    h.submit()
    h.claim()
    h.see("delayed", errors=(e.ErrorSeen(1, "failure"),))


@breaks("I8")
def a_retry_that_nobody_reported(h: Scribe) -> None:
    h.submit()
    h.claim()
    h.settle("fail")
    h.see("delayed", retry_count=2)


@breaks("I8")
def dead_of_no_failure(h: Scribe) -> None:
    h.submit()
    h.claim()
    h.see("dead", dead_reason="rejected")
