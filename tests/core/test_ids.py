"""Ids: UUIDv7 texts that rise strictly, whatever the clock does (contract §1, §7)."""

from __future__ import annotations

import random
import uuid
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from actorq.core.bounds import is_job_id
from actorq.core.ids import LATEST_MS, IdMint, head_of, millisecond_of
from actorq.core.instants import SECOND_US
from actorq.testing.clock import START_US, ManualClock


def mint_of(clock: ManualClock, seed: int = 0) -> IdMint:
    """Make a mint whose randomness can be replayed."""
    return IdMint(clock, random.Random(seed).getrandbits)


@given(st.integers(0, 10**6), st.lists(st.floats(-5.0, 5.0), max_size=50))
def test_ids_rise_strictly_whatever_the_clock_does(seed: int, steps: list[float]) -> None:
    """Also when the clock is turned back, each id is greater than all before it (§7)."""
    clock = ManualClock()
    mint = mint_of(clock, seed)
    ids = [mint.mint()]
    for step in steps:
        clock.advance(step)
        ids += [mint.mint(), mint.mint()]
    assert all(first < second for first, second in pairwise(ids))


@given(st.integers(0, 10**6), st.lists(st.none() | st.integers(0, 255), min_size=2))
def test_ids_end_as_a_store_wishes(seed: int, tails: list[int | None]) -> None:
    """The last byte of an id is the one that was asked for, and the ids rise all the same (§7)."""
    mint = mint_of(ManualClock(), seed)
    ids = [mint.mint(tail) for tail in tails]
    assert all(first < second for first, second in pairwise(ids))
    assert all(tail in {None, int(i[-2:], 16)} for i, tail in zip(ids, tails, strict=True))
    by_queue = IdMint(ManualClock(), random.Random(seed).getrandbits, {"a": 7, "b": None}.get)
    assert by_queue.mint_for("a").endswith("07")
    assert by_queue.mint_for("a") < by_queue.mint_for("b")


@given(st.integers(0, 10**6), st.integers(0, 4_000_000_000))
def test_every_id_is_a_uuid_of_version_7(seed: int, second: int) -> None:
    """An id has the form, version and variant of RFC 9562, in lower case, and tells its time (§1)."""
    job_id = mint_of(ManualClock(second * SECOND_US), seed).mint()
    parsed = uuid.UUID(job_id)
    assert (str(parsed), parsed.version, parsed.variant) == (job_id, 7, uuid.RFC_4122)
    assert is_job_id(job_id)
    assert uuid.UUID(job_id).int >> 80 == millisecond_of(job_id) == second * 1_000
    assert job_id.startswith(head_of(second * 1_000))


@given(st.integers(-(10**10), 10**10))
def test_a_correction_moves_the_ids_to_the_store_s_time(offset_us: int) -> None:
    """A server whose clock is wrong makes ids in the order of the store's clock (§3, §7)."""
    clock = ManualClock()
    mint = mint_of(clock)
    mint.correct(offset_us)
    assert millisecond_of(mint.mint()) == (START_US + offset_us) // 1_000


def test_a_correction_backwards_keeps_the_ids_rising() -> None:
    """Ids already given out are never passed from behind (§7)."""
    clock = ManualClock()
    mint = mint_of(clock)
    before = mint.mint()
    mint.correct(-3_600 * SECOND_US)
    after = [mint.mint() for _ in range(100)]
    assert before < after[0]
    assert after == sorted(set(after))
    clock.advance(3_601.0)
    assert millisecond_of(mint.mint()) == (START_US // 1_000) + 1_000


def test_a_million_ids_of_one_millisecond_still_rise() -> None:
    """A burst that uses a millisecond up borrows the next, and stays in order (§7)."""
    clock = ManualClock()
    mint = IdMint(clock, lambda bits: 2**bits - 1)
    ids = [mint.mint() for _ in range(1_000)]
    assert ids == sorted(set(ids))
    greedy = IdMint(clock, lambda bits: 2**73 - 1 if bits == 73 else 2**73)
    burst = [greedy.mint() for _ in range(10)]
    assert burst == sorted(set(burst))
    assert millisecond_of(burst[-1]) > millisecond_of(burst[0])


def test_ids_cannot_be_guessed_from_one_another() -> None:
    """Two mints at one instant make different ids, and the next is far from the last (§1)."""
    clock = ManualClock()
    first, second = mint_of(clock, 1), mint_of(clock, 2)
    assert first.mint() != second.mint()
    gaps = {uuid.UUID(first.mint()).int for _ in range(3)}
    assert min(b - a for a, b in pairwise(sorted(gaps))) > 1


@given(st.integers(-(10**16), 10**16))
def test_a_time_beyond_the_range_has_the_head_of_its_end(millisecond: int) -> None:
    """No time sorts before the first id or after the last one (§8)."""
    head = head_of(millisecond)
    assert head_of(0) <= head <= head_of(LATEST_MS)
    assert (len(head), int(head.replace("-", ""), 16)) == (13, min(max(millisecond, 0), LATEST_MS))
