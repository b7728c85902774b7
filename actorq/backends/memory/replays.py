"""Idempotency records: which requests were answered, and how (contract §6)."""

from __future__ import annotations

import msgspec

from actorq.backends.memory.sorted_keys import SortedKeys
from actorq.core.results import Outcome


class Replay(msgspec.Struct, frozen=True, gc=False):
    """What is known of an accepted request until the instant ``until``; it outlives its job."""

    fingerprint: str
    outcome: Outcome
    job_id: str
    queue_name: str
    created_at: int
    until: int


class Replays:
    """The records by their scoped key, and in the order in which they are forgotten."""

    __slots__ = ("_records", "_untils")

    def __init__(self) -> None:
        """Start empty."""
        self._records: dict[str, Replay] = {}
        self._untils: SortedKeys[tuple[int, str]] = SortedKeys()

    def get(self, key: str) -> Replay | None:
        """Return the record of ``key``, over or not."""
        return self._records.get(key)

    def put(self, key: str, record: Replay | None) -> None:
        """Keep ``record`` under ``key`` in place of any other; None takes it away."""
        known = self._records.pop(key, None)
        if known is not None:
            self._untils.discard((known.until, key))
        if record is not None:
            self._records[key] = record
            self._untils.add((record.until, key))

    def first(self) -> tuple[int, str] | None:
        """Return the instant at which the next record is forgotten, and its key."""
        return self._untils.first()
