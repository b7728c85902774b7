"""Firing: what rounds make of a schedule, whenever they come; and what records keep."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from actorq.core import schedule_intake
from actorq.core.bounds import is_job_id
from actorq.core.defining import change
from actorq.core.firing import STRANGE_US, Answer, plan
from actorq.core.ids import tick_id
from actorq.core.instants import SECOND_US, to_us
from actorq.core.job import Idempotency, NewJob, create
from actorq.core.policy import Policy
from actorq.core.results import Enqueued
from actorq.core.schedule import (
    CatchUp,
    NewSchedule,
    PutSchedule,
    Schedule,
    decode,
    digest,
    encode,
)
from actorq.core.ticks import Timing
from actorq.errors import InvalidInput, QueueFull

NOW = 1_767_225_600 * SECOND_US
JOB = NewJob(id="", queue_name="q", payload="x", metadata={"a": "b"})


def schedule(**fields: object) -> Schedule:
    """Make the record of a schedule."""
    new = replace(NewSchedule(name="s", job=JOB, timing=Timing(every=1.0)), **fields)
    made = change(None, PutSchedule(new=new), NOW).answer
    assert isinstance(made, Schedule), made
    return made


def run(record: Schedule, now: int, limit: int = 100) -> tuple[Schedule, list[int]]:
    """Fire one round in which every job is made; return the record after it, and the ticks."""
    made = plan([record], now, limit)
    answers = [Enqueued(create(job, now)) for job in made.jobs]
    (after,) = made.settle(answers)
    return after, [job.tick for job in made.jobs if job.tick is not None]


@given(
    catch_up=st.sampled_from(CatchUp),
    window=st.floats(0.0, 500.0),
    every=st.floats(1.0, 40.0).map(lambda s: round(s, 3)),
    rounds=st.lists(st.tuples(st.floats(0.0, 90.0), st.integers(1, 5)), max_size=25),
)
def test_however_rounds_come(
    catch_up: CatchUp, window: float, every: float, rounds: list[tuple[float, int]]
) -> None:
    """No tick fires early, twice or out of order, and the policy alone leaves any out (I9, I19)."""
    record = schedule(timing=Timing(every=every), catch_up=catch_up, catch_up_window=window)
    step, now = to_us(every), NOW
    fired: list[int] = []
    for passed, limit in rounds:
        now += to_us(passed)
        if record.due_at is None or record.due_at > now:
            continue
        before = record
        record, ticks = run(record, now, limit)
        fired += ticks
        assert all(now - tick <= max(to_us(window), 60 * SECOND_US) for tick in ticks)
        assert record.next_tick is not None
        assert before.next_tick is not None
        assert record.next_tick > before.next_tick
        if catch_up is not CatchUp.ALL:
            assert len(ticks) <= 1
            assert record.next_tick > now
        elif to_us(window) >= now - NOW:
            # Nothing is too old: nothing is left out.
            assert record.next_tick == before.next_tick + step * len(ticks)
    assert fired == sorted(set(fired))
    assert all(tick <= now and (tick - NOW) % step == 0 for tick in fired)
    assert record.fired == len(fired)


def test_a_zone_that_is_not_known_here_is_left_to_others() -> None:
    """A schedule that this server cannot reckon with does not stop a round, nor spin it (I17)."""
    strange = replace(schedule(), name="strange", timing=Timing(cron="* * * * *", zone="Mars/Base"))
    made = plan([strange, schedule()], NOW + 2 * SECOND_US, 10)
    assert [job.schedule for job in made.jobs] == ["s"]
    left, _ = made.settle([Enqueued(create(made.jobs[0], NOW))])
    assert left.next_tick == strange.next_tick
    assert left.due_at == NOW + 2 * SECOND_US + STRANGE_US


def test_who_makes_up_for_much_keeps_nobody_waiting() -> None:
    """Of a round each schedule that is due has its share, and what is left over comes next (I17)."""
    behind = schedule(name="behind", catch_up=CatchUp.ALL)
    now = NOW + 1_000 * SECOND_US
    others = [replace(schedule(), name=f"s{n}", next_tick=now) for n in range(4)]
    made = plan([behind, *others], now, 100)
    names = [job.schedule for job in made.jobs]
    assert names == ["behind"] * 20 + ["s0", "s1", "s2", "s3"]
    (after, *_) = made.settle([None] * len(made.jobs))
    assert after.next_tick == NOW + 21 * SECOND_US


def test_a_refused_tick_comes_again() -> None:
    """Ticks before the one that found no room stand; that one and those after it come again (§8)."""
    record = schedule(catch_up=CatchUp.ALL)
    made = plan([record], NOW + 4 * SECOND_US, 10)
    first, second, *_ = made.jobs
    full: list[Answer] = [QueueFull("q", 1)] * 3
    answers: list[Answer] = [Enqueued(create(first, NOW)), *full]
    (after,) = made.settle(answers)
    assert (after.next_tick, after.last_tick, after.fired) == (second.tick, first.tick, 1)
    assert after.due_at is not None
    assert after.due_at > made.now
    again, ticks = run(after, made.now)
    assert ticks == [job.tick for job in made.jobs[1:]]
    assert again.fired == 4


def test_ids_sort_as_the_ticks_do() -> None:
    """The jobs of one round have ids of their own, in the order of their ticks (§7)."""
    made = plan([schedule(catch_up=CatchUp.ALL)], NOW + 100 * SECOND_US, 100)
    ids = [job.id for job in made.jobs]
    assert len(set(ids)) == 100
    assert ids == sorted(ids)
    assert all(map(is_job_id, ids))
    assert tick_id(NOW, 0, "a") == tick_id(NOW, 0, "a") != tick_id(NOW, 0, "b")


def test_a_job_has_a_map_of_its_own() -> None:
    """What becomes of a job's metadata changes nothing in the schedule (I16)."""
    record = schedule()
    (job,) = plan([record], NOW + SECOND_US, 1).jobs
    job.metadata["a"] = "changed"
    assert record.job.metadata == {"a": "b"}


def test_a_record_keeps_what_it_does_not_know() -> None:
    """Fields of a later version are put back as they were (§1)."""
    record = schedule()
    data = encode(record)
    assert decode(data) == record
    later = msgspec.msgpack.encode({**msgspec.msgpack.decode(data), "jitter": [1, "é"]})
    assert decode(later) == record
    again = encode(replace(record, fired=7), later)
    assert msgspec.msgpack.decode(again)["jitter"] == [1, "é"]
    assert decode(again).fired == 7


def test_a_digest_tells_definitions_apart() -> None:
    """Any change of what is wanted is another definition; the record's state is none (§8)."""
    record = schedule()
    same = digest(record.definition)
    assert digest(replace(record, fired=3, version=9).definition) == same
    # By value: a text or a number is the same wherever it came from.
    copied = msgspec.convert(msgspec.to_builtins(record.definition), NewSchedule, builtin_types=())
    assert digest(copied) == same
    others = [
        replace(record.definition, job=replace(JOB, payload="y")),
        replace(record.definition, timing=Timing(every=2.0)),
        replace(record.definition, catch_up=CatchUp.ALL),
        replace(record.definition, catch_up_window=1.0),
        replace(record.definition, paused=True),
        replace(record.definition, name="t"),
    ]
    assert len({same, *map(digest, others)}) == 1 + len(others)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"name": "no name"}, "/name"),
        ({"catch_up": "some"}, "/catch_up"),
        ({"catch_up_window": -1.0}, "/catch_up_window"),
        ({"catch_up_window": 32 * 86_400.0}, "/catch_up_window"),
        ({"paused": 1}, "/paused"),
        ({"timing": Timing()}, "/cron"),
        ({"job": replace(JOB, queue_name="no queue")}, "/job/queue_name"),
        ({"job": replace(JOB, priority=2**31)}, "/job/priority"),
        ({"job": replace(JOB, delay=5.0)}, "/job/delay"),
        ({"job": replace(JOB, available_at=5)}, "/job/available_at"),
        ({"job": replace(JOB, expires_at=5)}, "/job/expires_at"),
        ({"job": replace(JOB, idempotency=Idempotency("k", "f"))}, "/job/idempotency"),
        ({"job": replace(JOB, dedupe_window=5.0)}, "/job/dedupe_window"),
    ],
)
def test_what_is_no_definition_is_refused(fields: dict[str, object], pointer: str) -> None:
    """A definition is checked whole, at every door, naming the place that is wrong (§1)."""
    new = replace(schedule().definition, **fields)
    with pytest.raises(InvalidInput) as refused:
        schedule_intake.check(new, Policy())
    assert refused.value.pointer == pointer
