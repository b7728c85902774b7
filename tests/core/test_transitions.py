"""The one table: every pair of status and event, legal or not (contract §2)."""

from __future__ import annotations

import pytest

from actorq.core.transitions import ENDED, LIVE, TRANSITIONS, WAITING, Event, Status, move
from actorq.errors import IllegalTransition

LEGAL = """
    delayed promote pending      delayed edit delayed        delayed cancel cancelled
    delayed lapse dead           pending edit pending        pending reschedule delayed
    pending claim running        pending cancel cancelled    pending lapse dead
    running ack completed        running retry delayed       running bury dead
    running release pending      running postpone delayed    running expire pending
    running extend running       running request_cancel running
    running abort cancelled      dead redrive pending
"""
"""The contract's diagram, written out by hand: the table must say the same."""


def by_hand() -> dict[tuple[str, str], str]:
    """Return the pairs that ``LEGAL`` lists."""
    words = LEGAL.split()
    triples = zip(words[::3], words[1::3], words[2::3], strict=True)
    return {(status, event): after for status, event, after in triples}


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("status", Status)
def test_every_pair_is_as_the_contract_draws_it(status: Status, event: Event) -> None:
    """A pair of the diagram leads where it points; every other pair is refused (§2, I3)."""
    expected = by_hand().get((status.value, event.value))
    if expected is not None:
        assert move("x", status, event) is Status(expected)
        return
    with pytest.raises(IllegalTransition) as caught:
        move("x", status, event)
    assert (caught.value.job_id, caught.value.status) == ("x", status)
    assert event.value in str(caught.value)


def test_the_table_holds_nothing_else() -> None:
    """The table has exactly the pairs of the diagram (§2)."""
    assert {(s.value, e.value): a.value for (s, e), a in TRANSITIONS.items()} == by_hand()


def test_final_is_final_but_for_the_redrive_of_the_dead() -> None:
    """Nothing leaves completed and cancelled; only a redrive leaves dead (§2, I3)."""
    leaving = {(status, event) for status, event in TRANSITIONS if status in ENDED}
    assert leaving == {(Status.DEAD, Event.REDRIVE)}


def test_every_status_is_live_or_ended() -> None:
    """The groups of statuses cover all, and do not overlap (§2)."""
    assert set(Status) == LIVE | ENDED
    assert not LIVE & ENDED
    assert LIVE - {Status.RUNNING} == WAITING


def test_every_status_can_be_reached_and_every_live_one_can_end() -> None:
    """From pending every status can be reached; from every live one, an end (§2, I17)."""
    steps: dict[Status, set[Status]] = {status: set() for status in Status}
    for (status, _), after in TRANSITIONS.items():
        steps[status].add(after)

    def reachable(start: Status) -> set[Status]:
        found, todo = {start}, [start]
        while todo:
            fresh = steps[todo.pop()] - found
            found |= fresh
            todo.extend(fresh)
        return found

    assert reachable(Status.PENDING) == set(Status)
    assert all(reachable(status) & ENDED for status in LIVE)
