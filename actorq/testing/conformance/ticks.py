"""Ticks: each makes one job, never early, and what was missed is made up for as it was said (I9, I19)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from actorq.core.commands import Edit
from actorq.core.instants import SECOND_US, to_us
from actorq.core.queue import QueueEdit
from actorq.core.schedule import CatchUp
from actorq.core.ticks import Timing
from actorq.core.transitions import Status
from actorq.testing.conformance.answers import answered, settled
from actorq.testing.conformance.bench import QUEUE
from actorq.testing.conformance.scenes import at_its_time
from actorq.testing.conformance.schedules import WHOLE
from actorq.testing.conformance.timetable import (
    JOB,
    NAME,
    fire,
    fired,
    get,
    made,
    next_of,
    put,
    ticks_of,
)

if TYPE_CHECKING:
    from actorq.testing.conformance.bench import Bench


class TestTicks:
    """One job for each (I19)."""

    def test_never_early(self, bench: Bench) -> None:
        """Before its tick a schedule makes nothing, in however many rounds (I9)."""
        schedule = put(bench)
        at_its_time(bench, next_of(schedule), lambda: fire(bench))
        (job,) = made(bench)
        assert (job.schedule, job.tick) == (NAME, schedule.next_tick)

    def test_a_tick_makes_one_job(self, bench: Bench) -> None:
        """Rounds repeated find nothing more: the tick and its job are one step (I19)."""
        schedule = put(bench)
        bench.advance(1.0)
        (job,) = fire(bench)
        assert fire(bench) == []
        bench.reopen()
        assert fire(bench) == []
        assert made(bench) == [job]
        after = get(bench)
        assert (after.last_tick, after.last_job_id, after.fired) == (schedule.next_tick, job.id, 1)
        assert next_of(after) == next_of(schedule) + to_us(1.0)

    def test_the_job_is_as_the_schedule_says(self, bench: Bench) -> None:
        """Every field of the definition is the job's, which is due at once (§1, I15)."""
        timing = Timing(every=1.0)
        put(bench, job=WHOLE.job, timing=timing)
        bench.advance(1.0)
        (job,) = fire(bench)
        for name in WHOLE.job.__struct_fields__:
            if name not in {
                "id",
                "delay",
                "available_at",
                "dedupe_window",
                "on_duplicate",
                "idempotency",
            }:
                assert getattr(job, name) == getattr(WHOLE.job, name), name
        assert job.status is Status.PENDING
        assert job.available_at == job.created_at
        assert job.dedupe_until == job.created_at + to_us(WHOLE.job.dedupe_window)
        assert bench.take(job).schedule == NAME

    def test_a_job_remembers_its_tick(self, bench: Bench) -> None:
        """Schedule and tick stay with the job through its whole life (§1)."""
        put(bench)
        bench.advance(1.0)
        (job,) = fire(bench)
        edit = Edit(id=job.id, payload="edited", metadata={"a": "b"})
        answered(bench.backend.update_job([edit])[0])
        bench.reopen()
        taken = bench.take(job)
        done = settled(bench.ack(taken.id)).job
        for one in (taken, done, bench.get(job)):
            assert (one.schedule, one.tick) == (NAME, job.tick)
        assert bench.put().schedule is None

    def test_it_says_when_the_next_comes(self, bench: Bench) -> None:
        """A round answers the seconds to the next tick of any schedule, None without one (``Sweep``)."""
        assert fired(bench).next_in is None
        put(bench, name="slow", timing=Timing(every=600.0))
        schedule = put(bench, timing=Timing(every=5.0))
        left = (next_of(schedule) - bench.now()) / SECOND_US
        next_in = fired(bench).next_in
        assert next_in is not None
        assert left - 1.0 <= next_in <= left + 0.001
        put(bench, timing=Timing(every=5.0), paused=True)
        next_in = fired(bench).next_in
        assert next_in is not None
        assert next_in > 100.0

    def test_an_interval_keeps_its_grid(self, bench: Bench) -> None:
        """However late a round comes, the ticks lie where they would have lain (§3)."""
        schedule = put(bench)
        first = next_of(schedule)
        for late in (1.7, 1.3, 2.2):
            bench.advance(late)
            (job,) = fire(bench)
            assert job.tick is not None
            assert (job.tick - first) % to_us(1.0) == 0
            assert job.tick <= job.created_at < job.tick + to_us(1.0) + to_us(0.5)

    def test_a_cron_expression_comes_on_the_minute(self, bench: Bench) -> None:
        """The tick is the instant of the expression, not that of the round which finds it (§3)."""
        schedule = put(bench, timing=Timing(cron="* * * * *", zone="Asia/Kathmandu"))
        assert 0 < next_of(schedule) - bench.now() <= 60 * SECOND_US
        assert next_of(schedule) % (60 * SECOND_US) == 0
        bench.advance((next_of(schedule) - bench.now()) / SECOND_US + 0.5)
        assert ticks_of(fire(bench)) == [schedule.next_tick]

    def test_a_schedule_comes_to_its_end(self, bench: Bench) -> None:
        """The last tick is not after ``ends_at``; then the schedule stays, and makes nothing (§8)."""
        schedule = put(bench, timing=Timing(every=1.0, ends_at=bench.now() + to_us(2.5)))
        bench.advance(1.1)
        assert ticks_of(fire(bench)) == [schedule.next_tick]
        bench.advance(1.0)
        assert len(fire(bench)) == 1
        assert get(bench).next_tick is None
        bench.advance(1.0)
        assert (fire(bench), fired(bench).next_in) == ([], None)

    def test_a_round_cut_short_says_so(self, bench: Bench) -> None:
        """A round that stops at its limit answers 0, and rounds repeated do the whole (``Sweep``)."""
        for number in range(5):
            put(
                bench,
                name=f"s{number}",
                timing=Timing(every=30.0, starts_at=bench.now() + SECOND_US),
            )
        bench.advance(1.1)
        seen: list[str | None] = []
        for _ in range(2):
            sweep = fired(bench, limit=2)
            assert (len(sweep.jobs), sweep.next_in) == (2, 0.0)
            seen += [job.schedule for job in sweep.jobs]
        seen += [job.schedule for job in fire(bench, limit=2)]
        assert sorted(map(str, seen)) == [f"s{number}" for number in range(5)]


class TestCatchUp:
    """Ticks that passed while nobody was there (I19)."""

    @pytest.mark.parametrize(
        ("catch_up", "window", "expected"),
        [
            (CatchUp.NONE, 1_000.0, [5]),
            (CatchUp.LAST, 1_000.0, [5]),
            (CatchUp.LAST, 0.0, []),
            (CatchUp.ALL, 1_000.0, [1, 2, 3, 4, 5]),
            (CatchUp.ALL, 2.5, [3, 4, 5]),
            (CatchUp.ALL, 0.0, []),
        ],
    )
    def test_what_is_made_up_for(
        self, bench: Bench, catch_up: CatchUp, window: float, expected: list[int]
    ) -> None:
        """None but the current one, the last, or all within the window, in order; then it goes on (I19)."""
        schedule = put(bench, catch_up=catch_up, catch_up_window=window)
        first = next_of(schedule)
        bench.advance(5.3)
        jobs = fire(bench)
        assert jobs == made(bench)
        assert [(tick - first) // SECOND_US + 1 for tick in ticks_of(jobs)] == expected
        assert next_of(get(bench)) == first + 5 * SECOND_US
        assert get(bench).fired == len(expected)

    def test_none_leaves_out_what_is_old(self, bench: Bench) -> None:
        """Without catching up a tick that is found a minute late is let go (I19)."""
        put(bench, timing=Timing(every=100.0), catch_up=CatchUp.NONE)
        bench.advance(161.0)
        assert fire(bench) == []
        bench.advance(40.0)
        assert len(fire(bench)) == 1

    def test_many_ticks_are_made_in_rounds(self, bench: Bench) -> None:
        """A long absence is made up for a bounded round at a time, without a gap or a double (I19)."""
        timing = Timing(every=1.0, ends_at=bench.now() + 25 * SECOND_US + SECOND_US // 2)
        schedule = put(bench, catch_up=CatchUp.ALL, timing=timing)
        bench.advance(26.0)
        sizes: list[int] = []
        while jobs := fire(bench, limit=10):
            sizes.append(len(jobs))
        assert sizes == [10, 10, 5]
        expected = [next_of(schedule) + n * SECOND_US for n in range(25)]
        assert sorted(ticks_of(made(bench))) == expected


class TestTicksAndQueues:
    """What a tick meets in its queue (§6, §8)."""

    def test_a_tick_waits_for_room(self, bench: Bench) -> None:
        """A full queue refuses no tick: it comes again until there is room, and is one job (§8, I19)."""
        bench.set(QueueEdit(queue_name=QUEUE, max_depth=1))
        waiting = bench.put()
        schedule = put(bench, timing=Timing(every=600.0, starts_at=bench.now() + SECOND_US))
        bench.advance(1.1)
        sweep = fired(bench)
        assert sweep.jobs == ()
        assert sweep.next_in is not None
        assert 0.0 < sweep.next_in <= 1.1
        bench.take(waiting)
        bench.advance(1.2)
        assert ticks_of(fire(bench)) == [schedule.next_tick]

    def test_a_full_queue_holds_up_nobody_else(self, bench: Bench) -> None:
        """Schedules of other queues fire while one waits for room (§8)."""
        bench.set(QueueEdit(queue_name=QUEUE, max_depth=0))
        put(bench)
        put(bench, name="other", job=replace(JOB, queue_name="other"))
        bench.advance(1.0)
        assert [job.schedule for job in fire(bench)] == ["other"]

    def test_a_held_key_makes_no_second_job(self, bench: Bench) -> None:
        """With a dedupe key a tick makes nothing while the last one's job lives (§6, I10)."""
        put(bench, job=replace(JOB, dedupe_key="one"))
        bench.advance(1.0)
        (job,) = fire(bench)
        bench.advance(1.0)
        assert fire(bench) == []
        after = get(bench)
        assert (after.fired, after.last_job_id) == (1, job.id)
        assert after.last_tick == next_of(after) - to_us(1.0)
        settled(bench.ack(bench.take(job).id))
        bench.advance(1.0)
        (second,) = fire(bench)
        assert second.id != job.id

    def test_schedules_of_many_queues_fire_in_one_round(self, bench: Bench) -> None:
        """One round serves every schedule that is due, each into its own queue (I19)."""
        names = [f"q{number}" for number in range(12)]
        for name in names:
            put(bench, name=name, job=replace(JOB, queue_name=name))
        bench.advance(1.0)
        jobs = fire(bench)
        assert sorted((job.schedule, job.queue_name) for job in jobs) == sorted(
            (name, name) for name in names
        )
        assert len({job.id for job in jobs}) == len(names)
