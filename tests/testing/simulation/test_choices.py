"""Choices: drawn by a seed, recorded, and made again."""

from __future__ import annotations

import pytest

from actorq.testing.simulation import Choice, Choices


def make(choices: Choices) -> list[object]:
    """Make some choices of every kind."""
    return [
        choices.choose("number", 10),
        choices.chance("often", 0.9),
        choices.pick("word", ("a", "b", "c")),
        choices.span("latency", 0.001, 2.0),
        choices.weigh("fate", (0.4, 0.4)),
        choices.choose("number", 1_000),
    ]


def test_a_seed_makes_the_same_choices() -> None:
    """One seed, one world; another seed, another one."""
    assert make(Choices(7)) == make(Choices(7))
    assert make(Choices(7)) != make(Choices(8))


@pytest.mark.parametrize("seed", range(20))
def test_a_record_makes_them_again(seed: int) -> None:
    """A replay needs no seed, and records the same choices."""
    first = Choices(seed)
    made = make(first)
    again = Choices(None, first.record)
    assert make(again) == made
    assert again.record == first.record


def test_what_the_record_does_not_know_is_harmless() -> None:
    """Beyond the record, and under labels that it lacks, a choice takes its smallest value."""
    assert make(Choices(None)) == [0, False, "a", 0.001, 0, 0]
    some = Choices(None, [Choice("number", 1, 1_000, 70), Choice("gone", 0, 2, 1)])
    assert make(some) == [0, False, "a", 0.001, 0, 70]


def test_labels_do_not_disturb_each_other() -> None:
    """A choice more under one label leaves those of the others as they were."""
    record = [Choice("one", 0, 9, 3), Choice("two", 0, 9, 4), Choice("one", 1, 9, 5)]
    replay = Choices(None, record)
    assert [replay.choose(label, 9) for label in ("two", "two", "one", "one")] == [4, 0, 3, 5]


def test_a_value_that_is_out_of_range_becomes_the_largest() -> None:
    """The world may have got smaller since the record was made."""
    assert Choices(None, [Choice("which", 0, 9, 8)]).choose("which", 3) == 2


def test_what_cannot_happen_is_not_recorded() -> None:
    """A chance of nothing, and no odds at all, leave no trace: a healed world records little."""
    choices = Choices(1)
    assert not choices.chance("never", 0.0)
    assert choices.weigh("nothing", ()) == 0
    assert choices.record == []


def test_spans_are_mostly_short_and_sometimes_long() -> None:
    """Half of them are below twice the least, and some are near the greatest: the tail is heavy."""
    choices = Choices(1)
    spans = sorted(choices.span("latency", 0.01, 10.0) for _ in range(4_000))
    assert spans[0] >= 0.01
    assert spans[2_000] < 0.025
    assert 3.0 < spans[-1] <= 10.0


def test_odds_are_kept() -> None:
    """Each thing comes as often as its probability says, and nothing comes otherwise."""
    choices = Choices(1)
    drawn = [choices.weigh("fate", (0.1, 0.3)) for _ in range(4_000)]
    assert drawn.count(1) == pytest.approx(400, rel=0.15)
    assert drawn.count(2) == pytest.approx(1_200, rel=0.1)
    chances = [choices.chance("often", 0.25) for _ in range(4_000)]
    assert sum(chances) == pytest.approx(1_000, rel=0.1)
