"""Both clients against a real server: schedules are defined, looked at, changed and run."""

from __future__ import annotations

import pytest

from actorq import InvalidInput, ScheduleExists, ScheduleNotFound, StaleSchedule
from actorq.core.ticks import Timing
from tests.sdk.client.servers import open_server
from tests.sdk.client.speakers import Kind, speaking, with_each_client

pytestmark = with_each_client


async def test_a_schedule_is_the_same_as_embedded(kind: Kind) -> None:
    """What the client defines and is shown is the record of the queue, but for three things (§3)."""
    async with open_server() as served, speaking(kind, served.url) as speaker:
        new = speaker.client.new_schedule(
            "nightly",
            "reports",
            '{"of": 1}',
            cron="30 3 * * 1-5",
            zone="Europe/Berlin",
            ends_at=1_900_000_000_000_000,
            catch_up="all",
            catch_up_window=7_200.0,
            priority=4,
            dedupe_key="one",
            metadata={"a": "b"},
        )
        made = await speaker.say(lambda calls: calls.put_schedule(new))
        embedded = await served.door.queue.get_schedule("nightly")
        assert made == embedded
        assert made.definition == new
        assert await speaker.say(lambda calls: calls.get_schedule("nightly")) == embedded
        assert await speaker.say(lambda calls: calls.list_schedules()) == [embedded]
        assert await speaker.say(lambda calls: calls.list_schedules(after="nightly")) == []
        ticks = await speaker.say(lambda calls: calls.preview_ticks("nightly", 3))
        assert ticks == await served.door.queue.preview_ticks("nightly", 3)
        timing = Timing(every=90.0, starts_at=ticks[0])
        other = await speaker.say(lambda calls: calls.preview_ticks(timing, 2))
        assert other == [ticks[0], ticks[0] + 90_000_000]


async def test_a_schedule_is_changed(kind: Kind) -> None:
    """It is paused, resumed, run beside its ticks, and removed (§3)."""
    async with open_server() as served, speaking(kind, served.url) as speaker:
        new = speaker.client.new_schedule("ping", "pings", "x", every=60.0)
        await speaker.say(lambda calls: calls.put_schedule(new))
        paused = await speaker.say(lambda calls: calls.pause_schedule("ping"))
        assert (paused.paused, paused.next_tick) == (True, None)
        resumed = await speaker.say(lambda calls: calls.resume_schedule("ping"))
        assert resumed.next_tick is not None
        job = await speaker.say(lambda calls: calls.run_schedule("ping"))
        assert (job.queue_name, job.payload, job.schedule) == ("pings", "x", "ping")
        gone = await speaker.say(lambda calls: calls.delete_schedule("ping"))
        assert gone.name == "ping"
        with pytest.raises(ScheduleNotFound) as missing:
            await speaker.say(lambda calls: calls.get_schedule("ping"))
        assert missing.value.name == "ping"


async def test_changes_that_do_not_fit_are_refused(kind: Kind) -> None:
    """A change is bound to a version, or to a name that is free; a declaration gives way to edits (§9)."""
    async with open_server() as served, speaking(kind, served.url) as speaker:
        new = speaker.client.new_schedule("ping", "pings", "x", every=60.0)
        declared = await speaker.say(lambda calls: calls.declare_schedule(new))
        assert declared.declared is not None
        with pytest.raises(ScheduleExists) as exists:
            await speaker.say(
                lambda calls: calls.put_schedule(
                    calls.new_schedule("ping", "pings", "y", every=9.0), must_be_new=True
                )
            )
        assert exists.value.name == "ping"
        other = speaker.client.new_schedule("ping", "pings", "x", every=61.0)
        with pytest.raises(StaleSchedule) as stale:
            await speaker.say(lambda calls: calls.put_schedule(other, version=7))
        assert (stale.value.name, stale.value.version) == ("ping", 1)
        edited = await speaker.say(lambda calls: calls.put_schedule(other, version=1))
        assert edited.version == 2
        again = await speaker.say(lambda calls: calls.declare_schedule(new))
        assert again.timing.every == 61.0
        with pytest.raises(InvalidInput):
            speaker.client.new_schedule("ping", "pings", "x", every=0.0)
