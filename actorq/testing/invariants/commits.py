"""What only a simulated store can record: each move that it committed, and those it lost again."""

from __future__ import annotations

from typing import Literal, TypeAlias

from actorq.testing.invariants.records import Base, Record, Status

MoveEvent: TypeAlias = Literal[
    "enqueue", "promote", "reschedule", "edit", "claim", "ack", "retry", "bury", "release",
    "postpone", "expire", "extend", "request_cancel", "abort", "cancel", "lapse", "redrive",
    "note", "prune", "delete", "purge",
]  # fmt: skip
"""The events of the table of transitions, the birth of a job, the note in its record that another one
depends on it, and the three ways to be removed."""


class Move(Base, frozen=True):
    """A simulated store committed one move of one job, in the order of its commits.

    ``step`` numbers the atomic step: the moves of one batch share it, and are in the batch's order (the
    jobs of a claim best first). ``store_time`` is microseconds on the store's clock. ``before`` is
    None for the birth of a job; ``job`` is the record after the move, or as it was when removed.
    """

    step: int
    store_time: int
    event: MoveEvent
    before: Status | None
    job: Record


class RolledBack(Base, frozen=True):
    """The store lost the end of its log: the moves of the steps after ``step`` never happened."""

    step: int
