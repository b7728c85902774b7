"""Several schedulers at once: no leader, and still one job for each tick (I19, faults D5)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from actorq.core.instants import SECOND_US
from actorq.core.schedule import CatchUp, DeleteSchedule, PutSchedule, Schedule
from actorq.core.ticks import Timing
from actorq.errors import ScheduleExists, ScheduleNotFound, StaleSchedule
from actorq.testing.conformance.threads import race
from actorq.testing.conformance.timetable import (
    JOB,
    NAME,
    find,
    fire,
    get,
    made,
    next_of,
    put,
    ticks_of,
    wanted,
)

if TYPE_CHECKING:
    from actorq.backends.backend import Backend
    from actorq.testing.conformance.bench import Bench

TICKS: Final = 1_000
SERVERS: Final = 4
EDITS: Final = 15


class TestRacingTicks:
    """The same round at the same moment, on connections of their own."""

    def test_a_thousand_ticks_are_a_thousand_jobs(self, bench: Bench) -> None:
        """Two schedulers, one entry, 1,000 ticks: one job for each, none left out (I19, faults D5)."""
        # Then there are no more, however long the race takes.
        timing = Timing(every=1.0, ends_at=bench.now() + TICKS * SECOND_US + SECOND_US // 2)
        schedule = put(bench, catch_up=CatchUp.ALL, timing=timing)
        bench.advance(TICKS + 1.0)

        def serve(backend: Backend, number: int) -> int:
            del number
            count = 0
            while True:
                sweep = backend.fire_schedules(40)
                count += len(sweep.jobs)
                if not sweep.jobs and sweep.next_in != 0.0:
                    return count

        shares = race(bench, 2, serve)
        fire(bench)
        first = next_of(schedule)
        ticks = Counter(ticks_of(made(bench)))
        assert ticks == Counter(first + n * SECOND_US for n in range(TICKS))
        assert sum(shares) <= TICKS
        assert get(bench).fired == TICKS

    def test_the_same_tick_of_many_schedules(self, bench: Bench) -> None:
        """Servers that wake at the same instant share what is due: nothing twice, nothing lost (I19)."""
        names = [f"s{number:02}" for number in range(20)]
        for name in names:
            put(bench, name=name, job=replace(JOB, queue_name=f"q-{name}"))
        for _ in range(3):
            bench.advance(1.0)
            race(bench, SERVERS, lambda backend, _: backend.fire_schedules(7))
            while fire(bench, limit=100):
                pass
        for name in names:
            jobs = made(bench, f"q-{name}")
            assert len(set(ticks_of(jobs))) == len(jobs) == 3
            assert get(bench, name).fired == 3

    def test_edits_race_with_ticks(self, bench: Bench) -> None:
        """No edit is undone by a tick, no tick by an edit, and each job is of one definition (I19)."""
        timing = Timing(every=1.0, ends_at=bench.now() + 200 * SECOND_US + SECOND_US // 2)
        put(bench, catch_up=CatchUp.ALL, timing=timing)
        bench.advance(201.0)

        def edit(backend: Backend, number: int) -> int:
            done = 0
            while done < EDITS:
                (now,) = backend.get_schedules([NAME])
                assert now is not None
                text = f"{now.version + 1} by {number}"
                new = replace(now.definition, job=replace(JOB, payload=text, metadata={"v": text}))
                (answer,) = backend.change_schedules([PutSchedule(new=new, version=now.version)])
                done += isinstance(answer, Schedule)
                assert isinstance(answer, Schedule | StaleSchedule)
            return done

        def serve(backend: Backend, number: int) -> int:
            if number % 2:
                return edit(backend, number)
            return sum(len(backend.fire_schedules(5).jobs) for _ in range(20))

        race(bench, SERVERS, serve)
        while fire(bench):
            pass
        jobs = made(bench)
        assert len(set(ticks_of(jobs))) == len(jobs) == 200
        assert all(job.metadata.get("v", "{}") == job.payload for job in jobs)
        after = get(bench)
        assert after.version == 1 + 2 * EDITS
        assert after.job.payload.startswith(f"{after.version} by ")
        assert after.fired == 200

    def test_one_of_many_makes_a_name(self, bench: Bench) -> None:
        """Of racing calls that would make a schedule one does, and the others learn of it (§9)."""
        for _ in range(5):

            def make(backend: Backend, number: int) -> bool:
                new = wanted(job=replace(JOB, payload=f"{number}"))
                (answer,) = backend.change_schedules([PutSchedule(new=new, must_be_new=True)])
                assert isinstance(answer, Schedule | ScheduleExists)
                return isinstance(answer, Schedule)

            assert sum(race(bench, SERVERS, make)) == 1
            assert bench.backend.change_schedules([DeleteSchedule(name=NAME)]) != []
            assert find(bench) is None

    def test_a_removal_races_with_ticks(self, bench: Bench) -> None:
        """After the answer to a removal no tick comes, whoever was firing just then (I19)."""
        for _ in range(5):
            put(bench)
            bench.advance(1.1)

            def act(backend: Backend, number: int) -> None:
                if number:
                    backend.fire_schedules(10)
                    return
                (answer,) = backend.change_schedules([DeleteSchedule(name=NAME)])
                assert isinstance(answer, Schedule | ScheduleNotFound)

            race(bench, SERVERS, act)
            assert find(bench) is None
            before = made(bench)
            bench.advance(2.0)
            assert fire(bench) == []
            assert made(bench) == before
        assert len(made(bench)) <= 5
