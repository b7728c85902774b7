"""What the outside can know of a lease: how long it surely ran, and what may have ended it sooner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq.testing.invariants.events import FaultBegan, FaultEnded

if TYPE_CHECKING:
    from actorq.testing.invariants.events import Renew, Renewed, Settle, Settled
    from actorq.testing.invariants.story import Call, Grant, Life, Story

TAKEN_EFFECT: Final = frozenset({"ok", "already"})
"""The outcomes that say: this settlement holds."""


def held(settle: Call[Settle, Settled]) -> bool:
    """Tell whether a settlement was acknowledged."""
    return settle.got is not None and settle.got.outcome in TAKEN_EFFECT


def surely_until(story: Story, life: Life, grant: Grant, before: int) -> float:
    """Return the earliest moment at which a lease can have run out by itself.

    Only what was sent or answered before the place ``before`` counts. A lease runs from the commit
    of its claim, or of its last renewal, which is no earlier than the call was sent. A renewal
    whose outcome is unknown may have come last, so the shortest time that was asked for counts.
    """
    latest, shortest = grant.claim.at, grant.taken.visibility
    for renewal in life.renewals:
        if renewal.start >= before or renewal.sent.token not in {grant.taken.token, None}:
            continue
        shortest = min(shortest, _seconds(renewal, grant))
        confirmed = renewal.got is not None and renewal.got.outcome in TAKEN_EFFECT
        if confirmed and renewal.end < before:
            latest = max(latest, renewal.at)
    longest = max(story.terms.max_extension, grant.taken.visibility)
    return min(latest + shortest, grant.claim.at + longest) - story.terms.slack


def _seconds(renewal: Call[Renew, Renewed], grant: Grant) -> float:
    if renewal.got is not None and renewal.got.visibility is not None:
        return renewal.got.visibility
    return renewal.sent.visibility or grant.taken.visibility


def endings(life: Life, grant: Grant, before: int) -> list[Call[Settle, Settled]]:
    """Return the settlements that may have ended a lease before a place.

    Those that were refused as stale are among them: a server repeats a call whose answer it lost, and
    the repeat may come too late although the call itself had taken effect.
    """
    return [
        settle
        for settle in life.settles
        if settle.start < before
        and settle.possible
        and (
            settle.sent.token == grant.taken.token
            or (settle.sent.token is None and settle.end > grant.start)
        )
    ]


def steady(story: Story, start: int, end: int) -> bool:
    """Tell whether the store's clock went on evenly between two places, as far as is recorded."""
    return not any(start <= place <= end for place in story.clock_steps)


def clock_steps(story: Story) -> list[int]:
    """Return the places at which the store's clock was moved, to and fro."""
    steps = {
        event.fault: place
        for place, event in story.of(FaultBegan)
        if event.kind == "clock_step" and "store" in event.targets
    }
    back = [place for place, event in story.of(FaultEnded) if event.fault in steps]
    return sorted([*steps.values(), *back])
