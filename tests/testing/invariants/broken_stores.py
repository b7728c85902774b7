"""Broken histories that only the store's moves give away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.testing.invariants import events as e
from tests.testing.invariants.broken import breaks
from tests.testing.invariants.scribe import FIRST, OLD, SECOND

if TYPE_CHECKING:
    from tests.testing.invariants.scribe import Scribe

LONG = 10**12
"""An instant that lies far ahead."""


@breaks("I1")
def accepted_and_not_written(h: Scribe) -> None:
    h.born("b")
    h.submit("a")


@breaks("I1")
def written_and_forgotten(h: Scribe) -> None:
    h.born("b")
    h.born("a")
    h.note(e.RolledBack, "store", step=1)


@breaks("I1")
def removed_while_it_ran(h: Scribe) -> None:
    h.born()
    h.run()
    h.move("prune")


@breaks("I1")
def purged_while_it_ran(h: Scribe) -> None:
    h.born()
    h.run()
    h.move("purge")


@breaks("I1", keeps=100.0)
def pruned_too_soon(h: Scribe) -> None:
    h.born()
    h.move("cancel", status="cancelled")
    h.wait(99.0)
    h.move("prune")


@breaks("I2")
def taken_for_something_else(h: Scribe) -> None:
    h.born()
    h.move("cancel", before="delayed", status="cancelled")


@breaks("I2")
def a_lease_without_a_holder(h: Scribe) -> None:
    h.born()
    h.move("edit", token=FIRST)


@breaks("I2")
def a_version_that_stays(h: Scribe) -> None:
    h.born()
    h.move("edit", version=1)


@breaks("I3")
def completed_before_it_ran(h: Scribe) -> None:
    h.born()
    h.move("ack", status="completed")


@breaks("I3", max_expiries=0)
def not_buried_in_time(h: Scribe) -> None:
    h.born()
    h.run()
    h.end("expire", "pending", expiries=1, store_time=LONG)


@breaks("I3")
def a_failure_taken_back(h: Scribe) -> None:
    h.born(retry_count=1)
    h.move("edit", retry_count=0)


@breaks("I4")
def claimed_again_after_its_lease(h: Scribe) -> None:
    h.born(delivery="at_most_once")
    h.run()
    h.end("expire", "pending", expiries=1, store_time=LONG)
    h.run(token=SECOND, attempt=2)


@breaks("I5")
def a_lease_ended_early(h: Scribe) -> None:
    h.born()
    h.run()
    h.end("expire", "pending", expiries=1)


@breaks("I6")
def a_token_that_comes_again(h: Scribe) -> None:
    h.born()
    h.run()
    h.end("release", "pending", interruptions=1)
    h.run(attempt=2)


@breaks("I6")
def completed_by_a_stranger(h: Scribe) -> None:
    h.born()
    h.run()
    h.settle("ack", token=OLD, outcome="unknown")
    h.end("ack", "completed")


@breaks("I6")
def an_answer_before_the_commit(h: Scribe) -> None:
    h.born()
    h.run()
    h.settle("ack")


@breaks("I7")
def two_attempts_at_once(h: Scribe) -> None:
    h.born()
    h.run(attempt=2)


@breaks("I7")
def an_attempt_counted_at_the_end(h: Scribe) -> None:
    h.born()
    h.run()
    h.settle("ack", outcome="unknown")
    h.end("ack", "completed", attempt=2)


@breaks("I8")
def a_retry_at_nobodys_word(h: Scribe) -> None:
    h.born()
    h.run()
    h.end("retry", "delayed", retry_count=1)


@breaks("I8")
def a_failure_of_a_hand_back(h: Scribe) -> None:
    h.born()
    h.run()
    h.settle("release", outcome="unknown")
    h.end("release", "pending", interruptions=1, failures=1)


@breaks("I9")
def claimed_before_it_was_due(h: Scribe) -> None:
    h.born()
    h.run(due=LONG)


@breaks("I9")
def born_ready_before_it_was_due(h: Scribe) -> None:
    h.born(due=LONG)


@breaks("I9", lateness=1.0)
def promoted_late(h: Scribe) -> None:
    h.born(status="delayed", due=1_000_000)
    h.wait(5.0)
    h.move("promote", status="pending")


@breaks("I10")
def two_live_jobs_of_one_key(h: Scribe) -> None:
    h.born("a", dedupe_key="k")
    h.born("b", dedupe_key="k")


@breaks("I10")
def a_window_that_did_not_hold(h: Scribe) -> None:
    h.born("a", dedupe_key="k", dedupe_until=LONG)
    h.move("cancel", "a", status="cancelled")
    h.born("b", dedupe_key="k")


@breaks("I10", keeps=0.0)
def a_key_that_was_pruned(h: Scribe) -> None:
    h.born("a", dedupe_key="k", dedupe_until=LONG)
    h.move("cancel", "a", status="cancelled")
    h.move("prune", "a")


@breaks("I12")
def the_worse_one_claimed(h: Scribe) -> None:
    h.born("b", priority=5)
    h.born("a")
    h.run("a")


@breaks("I12")
def a_priority_that_was_lost(h: Scribe) -> None:
    h.born(priority=5)
    h.run(priority=0)


@breaks("I13")
def figures_unlike_the_store(h: Scribe) -> None:
    h.born()
    h.quiet()
    h.count(1, pending=0, delayed=1)


@breaks("I14")
def a_reason_to_be_dead(h: Scribe) -> None:
    h.born()
    h.move("cancel", status="cancelled", dead_reason="expired")


@breaks("I15")
def a_payload_changed_by_a_claim(h: Scribe) -> None:
    h.born()
    h.run(payload=e.digest("broken"))


@breaks("I17", recovery=5.0)
def nobody_ever_came(h: Scribe) -> None:
    h.born()
    h.note(e.Healed, "scribe")
    h.wait(6.0)
    h.quiet()
