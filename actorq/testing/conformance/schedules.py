"""Schedules: how they are defined, edited and removed, whatever their ticks do meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from actorq.core.instants import to_us
from actorq.core.schedule import (
    CatchUp,
    DeleteSchedule,
    PauseSchedule,
    PutSchedule,
    Schedule,
)
from actorq.core.ticks import Timing
from actorq.errors import InvalidInput, ScheduleExists, ScheduleNotFound, StaleSchedule
from actorq.testing.conformance.answers import refusal
from actorq.testing.conformance.timetable import (
    JOB,
    NAME,
    SECONDLY,
    ask,
    changed,
    declare,
    delete,
    find,
    fire,
    get,
    made,
    next_of,
    pause,
    put,
    ticks_of,
    wanted,
)

if TYPE_CHECKING:
    from actorq.testing.conformance.bench import Bench

WHOLE = wanted(
    job=replace(
        JOB,
        payload='\0{"é": 1}',
        priority=-7,
        max_retries=0,
        metadata={"a": "b"},
        task="report",
        timeout=5.0,
        dedupe_key="k",
        dedupe_window=3.0,
    ),
    timing=Timing(cron="*/5 1-3 * * mon", zone="Europe/Berlin", ends_at=4_000_000_000_000_000),
    catch_up=CatchUp.ALL,
    catch_up_window=7.5,
    paused=True,
)
"""A definition in which everything says something."""


class TestSchedules:
    """The record (§1)."""

    def test_a_schedule_is_kept_as_it_was_defined(self, bench: Bench) -> None:
        """What is read is what was put, also by a program that starts later (§1, I15)."""
        before = bench.now()
        schedule = changed(bench, PutSchedule(new=WHOLE))
        assert schedule.definition == WHOLE
        assert before <= schedule.created_at == schedule.updated_at <= bench.now()
        assert (schedule.version, schedule.fired, schedule.next_tick) == (1, 0, None)
        assert get(bench) == schedule
        bench.reopen()
        assert get(bench) == schedule

    def test_an_interval_counts_from_its_definition(self, bench: Bench) -> None:
        """The first tick is one interval after the write, by the store's clock (§3)."""
        schedule = put(bench, timing=Timing(every=90.0))
        assert next_of(schedule) - schedule.created_at == to_us(90.0)

    def test_an_interval_counts_from_where_it_starts(self, bench: Bench) -> None:
        """With ``starts_at`` that is the first tick, or the grid of those to come (§3)."""
        now = bench.now()
        later = put(bench, timing=Timing(every=60.0, starts_at=now + to_us(7.0)))
        assert next_of(later) == now + to_us(7.0)
        earlier = put(bench, timing=Timing(every=60.0, starts_at=now - to_us(50.0)))
        assert next_of(earlier) == now + to_us(10.0)

    def test_what_is_so_already_stays_as_it_is(self, bench: Bench) -> None:
        """A definition that is put twice is one: the repeat of a lost call is harmless (§9)."""
        first = put(bench)
        assert put(bench) == first
        assert changed(bench, PutSchedule(new=wanted(), must_be_new=True)) == first
        assert changed(bench, PutSchedule(new=wanted(), version=1)) == first
        pause(bench)
        assert pause(bench).version == 2
        assert get(bench).version == 2

    def test_a_change_belongs_to_a_version(self, bench: Bench) -> None:
        """An edit or a removal that is based on an old version is refused, naming the new one (§9)."""
        put(bench)
        other = wanted(timing=Timing(every=2.0))
        assert changed(bench, PutSchedule(new=other, version=1)).version == 2
        third = wanted(timing=Timing(every=3.0))
        stale = refusal(ask(bench, PutSchedule(new=third, version=1)), StaleSchedule)
        assert stale.version == 2
        refusal(ask(bench, DeleteSchedule(name=NAME, version=1)), StaleSchedule)
        assert get(bench).definition == other
        assert changed(bench, DeleteSchedule(name=NAME, version=2)).definition == other

    def test_what_is_not_there(self, bench: Bench) -> None:
        """Nothing can be done to a schedule that is not there but to make it (§9)."""
        for wish in (
            PutSchedule(new=wanted(), version=1),
            PauseSchedule(name=NAME, paused=True),
            PauseSchedule(name=NAME, paused=False),
            DeleteSchedule(name=NAME),
        ):
            refusal(ask(bench, wish), ScheduleNotFound)
        assert find(bench) is None

    def test_a_name_is_taken_once(self, bench: Bench) -> None:
        """``must_be_new`` finds another under the name, and leaves that alone (§9)."""
        first = put(bench)
        other = PutSchedule(new=wanted(paused=True), must_be_new=True)
        refusal(ask(bench, other), ScheduleExists)
        assert get(bench) == first

    def test_a_batch_sees_what_came_before(self, bench: Bench) -> None:
        """Changes of one call apply one after the other, each with its answer (architecture rule 1)."""
        answers = bench.backend.change_schedules(
            [
                DeleteSchedule(name=NAME),
                PutSchedule(new=wanted()),
                PauseSchedule(name=NAME, paused=True),
                PutSchedule(new=wanted(name="other")),
                PutSchedule(new=wanted(timing=Timing(every=9.0)), version=1),
                DeleteSchedule(name=NAME),
                PutSchedule(new=wanted(timing=Timing(every=5.0)), must_be_new=True),
            ]
        )
        versions = [one.version if isinstance(one, Schedule) else type(one) for one in answers]
        assert versions == [ScheduleNotFound, 1, 2, 1, StaleSchedule, 2, 1]
        assert get(bench).timing.every == 5.0
        assert get(bench, "other").timing.every == 1.0

    def test_a_timing_must_come_to_something(self, bench: Bench) -> None:
        """A schedule that would never come due is refused, and changes nothing (§1)."""
        over = Timing(every=1.0, ends_at=bench.now() - 1)
        refusal(ask(bench, PutSchedule(new=wanted(timing=over))), InvalidInput)
        assert find(bench) is None
        first = put(bench)
        refusal(ask(bench, PutSchedule(new=wanted(timing=over))), InvalidInput)
        assert get(bench) == first

    def test_schedules_are_listed_by_name(self, bench: Bench) -> None:
        """A listing goes through the names in their order, a page at a time (§9)."""
        names = ["B", "a", "a-", "a.b", "a1", "aa", "b"]
        for name in reversed(names):
            put(bench, name=name)
        order = sorted(names)
        seen: list[str] = []
        while page := bench.backend.list_schedules(seen[-1] if seen else "", 3):
            seen += [one.name for one in page]
        assert seen == order
        assert bench.backend.list_schedules("zzz", 3) == []
        found = bench.backend.get_schedules(["b", "none", "a", "b"])
        assert [one and one.name for one in found] == ["b", None, "a", "b"]


class TestEditing:
    """Changes while ticks come (§8)."""

    def test_a_paused_schedule_makes_nothing(self, bench: Bench) -> None:
        """Ticks of a pause pass, and are not made up for when it goes on (§8)."""
        put(bench, catch_up=CatchUp.ALL)
        assert pause(bench).next_tick is None
        bench.advance(3.1)
        assert fire(bench) == []
        resumed = pause(bench, paused=False)
        assert bench.now() - to_us(1.0) < next_of(resumed) - to_us(1.0) <= bench.now()
        assert (next_of(resumed) - resumed.anchor) % to_us(1.0) == 0
        bench.advance(1.0)
        assert len(fire(bench)) == 1

    def test_a_removed_schedule_makes_nothing(self, bench: Bench) -> None:
        """After its removal no tick comes; the jobs that it made stay (§8)."""
        put(bench)
        bench.advance(1.0)
        assert len(fire(bench)) == 1
        gone = delete(bench)
        assert gone.fired == 1
        bench.advance(2.0)
        assert fire(bench) == []
        assert find(bench) is None
        assert bench.length() == 1

    def test_an_edit_of_the_job_leaves_the_ticks_alone(self, bench: Bench) -> None:
        """A tick that is due makes the job as it is defined when it fires (§8)."""
        first = put(bench)
        bench.advance(1.0)
        edited = put(bench, job=replace(JOB, payload="new", queue_name="other"))
        assert (edited.next_tick, edited.version) == (first.next_tick, 2)
        (job,) = fire(bench)
        assert (job.payload, job.queue_name, job.tick) == ("new", "other", first.next_tick)
        assert made(bench) == []

    def test_an_edit_of_the_timing_begins_anew(self, bench: Bench) -> None:
        """Ticks of the old timing that have not fired do not; those of the new one come (§8)."""
        put(bench)
        bench.advance(1.5)
        edited = put(bench, timing=Timing(every=2.0))
        assert edited.anchor == edited.updated_at
        assert next_of(edited) == edited.updated_at + to_us(2.0)
        assert fire(bench) == []
        bench.advance(2.0)
        assert ticks_of(fire(bench)) == [edited.next_tick]

    def test_no_tick_comes_twice_when_the_clock_is_turned_back(self, bench: Bench) -> None:
        """After an edit, too, ticks go on behind the last that fired (I19)."""
        put(bench, timing=Timing(every=1.0, starts_at=bench.now()))
        bench.advance(2.0)
        (job,) = fire(bench)
        bench.advance(-5.0)
        edited = put(bench, timing=Timing(every=1.0, starts_at=bench.now()))
        assert job.tick is not None
        assert next_of(edited) > job.tick
        bench.advance(5.0)

    def test_what_ticks_write_is_no_new_version(self, bench: Bench) -> None:
        """An edit that was begun before a tick is made after it: the ETag is the definition's (§9)."""
        first = put(bench)
        bench.advance(1.0)
        assert len(fire(bench)) == 1
        fired = get(bench)
        assert (fired.version, fired.updated_at) == (first.version, first.updated_at)
        assert (fired.fired, fired.last_tick) == (1, first.next_tick)
        edit = PutSchedule(new=wanted(paused=True), version=first.version)
        assert changed(bench, edit).fired == 1


class TestDeclaring:
    """Schedules in code (§8)."""

    def test_a_start_undoes_no_edit(self, bench: Bench) -> None:
        """As long as the code says the same, what was edited since it said so stays (§8)."""
        first = declare(bench)
        assert first.declared is not None
        edited = put(bench, timing=Timing(every=60.0), paused=True)
        assert edited.declared == first.declared
        assert declare(bench) == edited
        assert get(bench) == edited

    def test_changed_code_takes_over(self, bench: Bench) -> None:
        """A new definition in code replaces whatever is there; a pause outlives it (§8)."""
        declare(bench)
        put(bench, timing=Timing(every=60.0), paused=True)
        taken = declare(bench, timing=Timing(every=5.0))
        assert (taken.timing.every, taken.paused, taken.next_tick) == (5.0, True, None)
        assert declare(bench, timing=Timing(every=5.0)) == taken

    def test_code_takes_over_what_others_made(self, bench: Bench) -> None:
        """A schedule that was made by hand is the code's from the first declaration on (§8)."""
        put(bench, timing=Timing(every=60.0))
        taken = declare(bench)
        assert (taken.timing, taken.version) == (SECONDLY, 2)
        delete(bench)
        assert declare(bench).version == 1
