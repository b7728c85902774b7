"""The judge: reads a history once, and asks every invariant about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq.testing.invariants import (
    ages,
    at_most_once,
    attempts,
    conservation,
    dead_letters,
    dedupe,
    due,
    failures,
    families,
    fencing,
    heeded,
    idempotency,
    late,
    lease_overlap,
    loss,
    onlooker,
    order,
    payloads,
    progress,
    states,
    void,
)
from actorq.testing.invariants.reading import read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actorq.testing.invariants.events import Event
    from actorq.testing.invariants.violation import Violation

RULES: Final = (
    loss.check,
    states.check,
    heeded.check,
    at_most_once.check,
    lease_overlap.check,
    fencing.check,
    attempts.check,
    failures.check,
    void.check,
    due.check,
    late.check,
    dedupe.check,
    idempotency.check,
    order.check,
    ages.check,
    conservation.check,
    dead_letters.check,
    payloads.check,
    progress.check,
    families.check,
    onlooker.check,
)


def judge(history: Iterable[Event]) -> list[Violation]:
    """Return every violation that a history proves, by invariant; none of a correct system, ever.

    Raises ``BadHistory`` for events that make no history.
    """
    story = read(history)
    found = [violation for rule in RULES for violation in rule(story)]
    return sorted(found, key=lambda violation: int(violation.invariant[1:]))
