"""Sorted keys and ready jobs: the orders of the memory store, against the plainest ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actorq.backends.memory.ready import Ready
from actorq.backends.memory.sorted_keys import CHUNK, SortedKeys

SPAN = 8 * CHUNK

ranges = st.builds(
    range,
    st.integers(0, SPAN),
    st.integers(0, SPAN),
    st.sampled_from([1, 2, 3, 7, CHUNK - 1, -1, -2]),
)
changes = st.lists(st.tuples(st.booleans(), ranges), max_size=8)


def key(number: int) -> str:
    """Return a key that sorts like its number."""
    return f"{number:05d}"


@given(changes, st.integers(0, SPAN))
def test_they_are_a_sorted_set(steps: list[tuple[bool, range]], before: int) -> None:
    """Whatever comes and goes in whatever order, the walks are those of a sorted set (I2)."""
    keys: SortedKeys[str] = SortedKeys()
    plain: set[str] = set()
    for adds, numbers in steps:
        for number in numbers:
            if adds:
                keys.add(key(number))
                plain.add(key(number))
            else:
                keys.discard(key(number))
                plain.discard(key(number))
        assert (len(keys), keys.first()) == (len(plain), min(plain, default=None))
    ordered = sorted(plain)
    assert list(keys) == ordered
    assert list(keys.descending()) == ordered[::-1]
    end = key(before)
    assert list(keys.descending(end)) == [name for name in ordered[::-1] if name < end]


@pytest.mark.parametrize("step", [1, -1])
def test_what_has_gone_leaves_nothing_behind(step: int) -> None:
    """Taking everything away, from either end, leaves an empty set that can be filled again (I18)."""
    keys: SortedKeys[tuple[int, str]] = SortedKeys()
    for _ in range(2):
        for number in range(3 * CHUNK):
            keys.add((number, "name"))
        for number in range(3 * CHUNK)[::step]:
            keys.discard((number, "name"))
        assert (len(keys), keys.first(), list(keys)) == (0, None, [])


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20), st.integers(-2, 2)), max_size=60))
def test_ready_jobs_come_by_priority_then_id(steps: list[tuple[bool, int, int]]) -> None:
    """The first is that of the highest priority and among equals of the smallest id (§7, I12)."""
    ready = Ready()
    plain: dict[str, int] = {}
    for adds, number, priority in steps:
        name = key(number)
        known = plain.pop(name, None)
        if known is not None:
            ready.discard(name, known)
        if adds:
            ready.add(name, priority)
            plain[name] = priority
        best = min(plain, key=lambda name: (-plain[name], name), default=None)
        assert ready.first() == best
