"""What the oracle says of a history that broke a promise."""

from __future__ import annotations

import msgspec

from actorq.testing.invariants.events import Event


class Violation(msgspec.Struct, frozen=True):
    """One broken promise: the invariant (``I4``), what happened, and the events that prove it."""

    invariant: str
    sentence: str
    events: tuple[Event, ...] = ()

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.invariant}: {self.sentence}"
