"""Broken histories of jobs that depend on others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.testing.invariants.broken import breaks

if TYPE_CHECKING:
    from tests.testing.invariants.scribe import Scribe


def ends(h: Scribe, job_id: str, *, well: bool) -> None:
    """Let a job be done, or be rejected."""
    h.run(job_id)
    if well:
        h.settle("ack", job_id=job_id)
        h.end("ack", "completed", job_id)
    else:
        h.settle("fail", job_id=job_id)
        h.end("bury", "dead", job_id, dead_reason="rejected", failures=1)


@breaks("I9")
def given_out_before_its_parent_ended(h: Scribe) -> None:
    h.born("b")
    h.run("b")
    h.child("c", "b")
    h.move("promote", "c", status="pending", due=0)
    h.run("c")


@breaks("I3")
def given_out_though_its_parent_failed(h: Scribe) -> None:
    h.born("b")
    h.child("c", "b")
    ends(h, "b", well=False)
    h.move("promote", "c", status="pending", due=0)
    h.run("c")


@breaks("I3")
def cancelled_though_its_parent_was_done(h: Scribe) -> None:
    h.born("b")
    h.child("c", "b")
    ends(h, "b", well=True)
    h.move("cancel", "c", status="cancelled")


@breaks("I17")
def told_of_one_parent_and_not_of_the_other(h: Scribe) -> None:
    h.born("b")
    h.born("d")
    h.child("c", "b", "d")
    ends(h, "b", well=True)
    h.move("edit", "c")
    ends(h, "d", well=True)


@breaks("I17")
def not_told_that_its_parent_was_removed(h: Scribe) -> None:
    h.born("b")
    h.child("c", "b", anyway=True)
    h.ask("purge", "b")
    h.move("purge", "b")
