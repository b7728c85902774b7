"""The face's verbs on schedules, as an embedding program uses them."""

from __future__ import annotations

import pytest

import actorq
from actorq.core.instants import SECOND_US
from actorq.errors import DuplicateJob, InvalidInput, QueueFull
from tests.http.door import open_door


async def test_a_schedule_is_put_and_read() -> None:
    """What is put can be read, listed, edited at its version, and removed (§8)."""
    async with open_door() as door:
        queue = door.queue
        new = queue.new_schedule(
            "nightly", "reports", "{}", cron="0 3 * * *", zone="Europe/Berlin", priority=5, task="t"
        )
        schedule = await queue.put_schedule(new)
        assert schedule.definition == new
        assert await queue.get_schedule("nightly") == schedule
        assert await queue.get_schedules(["none", "nightly"]) == [None, schedule]
        other = await queue.put_schedule(queue.new_schedule("b", "q", "x", every=60))
        assert await queue.list_schedules() == [other, schedule]
        assert await queue.list_schedules(after="b", limit=1) == [schedule]
        edited = queue.new_schedule("nightly", "reports", "{}", every=5)
        with pytest.raises(actorq.StaleSchedule):
            await queue.put_schedule(edited, version=2)
        assert (await queue.put_schedule(edited, version=1)).version == 2
        with pytest.raises(actorq.ScheduleExists):
            await queue.put_schedule(new, must_be_new=True)
        with pytest.raises(actorq.StaleSchedule):
            await queue.delete_schedule("nightly", version=1)
        assert (await queue.delete_schedule("nightly", version=2)).version == 2
        with pytest.raises(actorq.ScheduleNotFound):
            await queue.get_schedule("nightly")


async def test_a_program_declares_its_schedules_at_each_start() -> None:
    """Run-time edits outlive a start; a changed program is taken over, all or nothing seen (§8)."""
    async with open_door() as door:
        queue = door.queue
        news = [queue.new_schedule(name, "q", "x", every=60) for name in ("a", "b")]
        first = await queue.declare_schedules(news)
        await queue.pause_schedule("a")
        again = await queue.declare_schedules(news)
        assert [one.paused for one in again] == [True, False]
        assert again[1] == first[1]
        changed = [queue.new_schedule("a", "q", "y", every=60), news[1]]
        taken = await queue.declare_schedules(changed)
        assert (taken[0].job.payload, taken[0].paused) == ("y", True)


async def test_a_schedule_can_be_run_now() -> None:
    """The job is made at once, beside the ticks, and obeys its queue (§6, §8)."""
    async with open_door() as door:
        queue = door.queue
        new = queue.new_schedule(
            "s", "q", "x", every=60, dedupe_key="k", on_duplicate="reject", metadata={"a": "b"}
        )
        schedule = await queue.put_schedule(new)
        job = await queue.run_schedule("s")
        assert (job.schedule, job.tick, job.payload, job.metadata) == ("s", None, "x", {"a": "b"})
        with pytest.raises(DuplicateJob):
            await queue.run_schedule("s")
        assert await queue.get_schedule("s") == schedule
        await queue.update_queue(actorq.QueueEdit(queue_name="q", max_depth=0))
        await queue.cancel(job.id)
        with pytest.raises(QueueFull):
            await queue.run_schedule("s")
        with pytest.raises(actorq.ScheduleNotFound):
            await queue.run_schedule("none")


async def test_ticks_are_seen_before_they_come() -> None:
    """A preview of a schedule, paused or not, and of a timing that is none yet (§8)."""
    async with open_door() as door:
        queue = door.queue
        schedule = await queue.put_schedule(queue.new_schedule("s", "q", "x", every=60))
        start = schedule.created_at
        expected = [start + 60 * n * SECOND_US for n in (1, 2, 3)]
        assert await queue.preview_ticks("s", 3) == expected
        await queue.pause_schedule("s")
        door.clock.advance(90)
        assert await queue.preview_ticks("s", 2) == expected[1:]
        timing = actorq.Timing(cron="@daily", zone="Asia/Tokyo")
        (first, second) = await queue.preview_ticks(timing, 2)
        assert actorq.to_datetime(first).strftime("%H:%M") == "15:00"
        assert second - first == 86_400 * SECOND_US
        for count in (0, 101):
            with pytest.raises(InvalidInput):
                await queue.preview_ticks("s", count)
        with pytest.raises(InvalidInput):
            await queue.preview_ticks(actorq.Timing(), 2)


async def test_what_is_wrong_is_refused_before_the_store() -> None:
    """A definition made by hand is checked as any other; a name that cannot be is refused (§1)."""
    async with open_door() as door:
        queue = door.queue
        new = queue.new_schedule("s", "q", "x", every=60)
        bad = actorq.NewSchedule(name="no name", job=new.job, timing=new.timing)
        for call in (
            queue.put_schedule(bad),
            queue.declare_schedules([bad]),
            queue.pause_schedule("no name"),
            queue.get_schedule("no name"),
            queue.list_schedules(after="no name"),
            queue.list_schedules(limit=201),
        ):
            with pytest.raises(InvalidInput):
                await call
        with pytest.raises(InvalidInput):
            queue.new_schedule("s", "q", "x", every=60, cron="@daily")
        assert door.trouble.count("change_schedules") == 0
