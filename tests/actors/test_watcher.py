"""The watcher, called by hand: who waits for a change of a job, and learns of it."""

from __future__ import annotations

import pytest

from actorq.actors import messages as m
from actorq.actors.mailbox import Reply
from actorq.actors.watcher import Watcher
from actorq.core.commands import Edit
from actorq.core.job import Job, NewJob
from actorq.errors import BackendUnavailable
from tests.actors.lanes import DirectLane, World


class Bench:
    """A watcher on a lane, and two jobs of version 1 to watch: ``a`` and ``b``."""

    def __init__(self) -> None:
        self.world = World()
        self.lane = DirectLane(self.world.lane())
        self.watcher = Watcher(lane=self.lane)
        self.world.backend.enqueue([NewJob(id=i, queue_name="q", payload="") for i in "ab"])

    def change(self, job_id: str) -> None:
        """Write a job."""
        self.world.backend.update_job([Edit(id=job_id, priority=1)])


def watch(job_id: str = "a", version: int = 1) -> m.Watch:
    """Make a watch."""
    return m.Watch(job_id, version, Reply())


def seen(request: m.Watch) -> int:
    """Return the version that a watch was answered with, failing if it was not."""
    job: Job | None = request.reply.value
    assert job is not None
    return job.version


async def test_a_watch_of_an_old_version_is_answered_at_once() -> None:
    """What has changed already need not be waited for (§9)."""
    bench = Bench()
    request = watch(version=0)
    await bench.watcher.handle([request])
    assert seen(request) == 1


async def test_a_watch_waits_for_a_hint_of_its_job() -> None:
    """The change of another job is none, and asks the store nothing; its own answers (§9)."""
    bench = Bench()
    request = watch()
    await bench.watcher.handle([request])
    bench.change("b")
    calls = len(bench.lane.told)
    await bench.watcher.handle([m.JobsChanged(("b", "nobody"))])
    assert not request.reply.settled
    assert len(bench.lane.told) == calls

    bench.change("a")
    await bench.watcher.handle([m.JobsChanged(("b", "a"))])
    assert seen(request) == 2


async def test_a_lost_hint_costs_a_beat() -> None:
    """A beat finds what another process wrote; all watches are read in one call (rules 3, 8)."""
    bench = Bench()
    requests = [watch("a"), watch("b"), watch("a")]
    await bench.watcher.handle(requests)
    bench.change("a")
    bench.world.trouble.calls.clear()
    await bench.watcher.handle([m.Beat()])
    assert bench.world.trouble.sizes("get_job") == [2]
    assert [request.reply.settled for request in requests] == [True, False, True]


async def test_a_job_that_is_gone_is_told_so() -> None:
    """A watch of what was never there, or was removed, ends (§9)."""
    bench = Bench()
    request = watch("nobody")
    await bench.watcher.handle([request])
    assert request.reply.settled
    assert request.reply.value is None


async def test_a_watch_whose_caller_left_is_forgotten() -> None:
    """Whoever stops waiting leaves nothing behind (I18)."""
    bench = Bench()
    gone, here = watch(), watch()
    await bench.watcher.handle([gone, here])
    gone.reply.abandoned = here.reply.abandoned = True
    await bench.watcher.handle([m.Beat()])
    calls = len(bench.lane.told)
    await bench.watcher.handle([m.Beat()])
    assert len(bench.lane.told) == calls


async def test_a_store_that_is_away_ends_the_watches() -> None:
    """Who waits is told, and decides when to come again; the next watch finds the store back."""
    bench = Bench()
    request, late = watch(), watch(version=0)
    await bench.watcher.handle([request])
    bench.world.trouble.away = True
    await bench.watcher.handle([m.Beat()])
    with pytest.raises(BackendUnavailable):
        await request.reply.get()
    bench.world.trouble.away = False
    await bench.watcher.handle([late])
    assert seen(late) == 1


async def test_drain_answers_watches_with_the_job_as_it_stands() -> None:
    """A server that goes away keeps nobody waiting, neither now nor later (§9)."""
    bench = Bench()
    waiting, late = watch(), watch()
    await bench.watcher.handle([waiting])
    await bench.watcher.handle([m.Drain()])
    await bench.watcher.handle([late])
    assert (seen(waiting), seen(late)) == (1, 1)


async def test_stop_answers_whoever_waits() -> None:
    """A watcher that is stopped leaves nobody waiting (rule 10)."""
    bench = Bench()
    request = watch()
    await bench.watcher.handle([request])
    await bench.watcher.stop()
    assert seen(request) == 1
