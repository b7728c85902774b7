"""Schedules in code: declared by workers, the same through both doors, refused where they stand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from actorq import App, Backoff, NotConnected, TaskError, open_queue
from actorq.core.instants import from_datetime
from tests.http.door import open_door
from tests.sdk.client.servers import open_server

if TYPE_CHECKING:
    from actorq import Schedule

START = datetime(2027, 1, 1, tzinfo=UTC)


def program() -> App:
    """Make an app with one schedule of each kind."""
    app = App()

    @app.schedule(cron="0 3 * * *", zone="Europe/Berlin", catch_up="none")
    @app.task(queue="reports", priority=3, timeout="5m", metadata={"a": "b"})
    async def nightly() -> None: ...

    @app.task(unique=True, backoff=Backoff(2.0, 3.0, 60.0))
    def clean(folder: str, *, deep: bool = False) -> None: ...

    app.schedule_call(
        clean.call("é", deep=True),
        name="clean-all",
        every=timedelta(hours=1),
        starts_at=START,
        ends_at=START + timedelta(days=1),
        catch_up="all",
        catch_up_window="2h",
    )
    assert callable(nightly)
    return app


def test_a_schedule_is_a_call_of_its_task() -> None:
    """The job of a tick has the options of its task, and the arguments of the call."""
    nightly, clean = program().schedules.values()
    assert (nightly.name, nightly.job.queue_name, nightly.job.task) == (
        "nightly",
        "reports",
        "nightly",
    )
    assert (nightly.job.priority, nightly.job.timeout) == (3, 300.0)
    assert (nightly.timing.cron, nightly.timing.zone) == ("0 3 * * *", "Europe/Berlin")
    assert (clean.name, clean.timing.every, clean.catch_up_window) == (
        "clean-all",
        3_600.0,
        7_200.0,
    )
    assert clean.timing.starts_at == from_datetime(START)
    assert "é" in clean.job.payload
    # Unique: a tick makes nothing while the last one's job lives.
    assert clean.job.dedupe_key is not None


async def test_both_doors_declare_the_same() -> None:
    """What was declared over HTTP is known again by a program that embeds the queue (§8)."""
    app = program()
    async with open_server() as served:
        queue = served.door.queue
        async with app.connect(served.url):
            await app.declare_schedules()
        over_http = await queue.list_schedules()
        assert [one.definition for one in over_http] == sorted(
            app.schedules.values(), key=lambda new: new.name
        )
        assert all(one.declared for one in over_http)
        async with app.connect(queue):
            await app.declare_schedules()
        assert await queue.list_schedules() == over_http


async def test_a_start_undoes_no_edit() -> None:
    """A worker that starts again leaves alone what was edited since, over either door (§8)."""
    app = program()
    async with open_server() as served:
        queue = served.door.queue
        edited: list[Schedule] = []
        for where in (served.url, queue, served.url):
            async with app.connect(where):
                await app.declare_schedules()
            if not edited:
                edited = [await queue.pause_schedule("nightly")]
            assert await queue.get_schedule("nightly") == edited[0]


async def test_a_worker_declares_and_runs_what_is_scheduled() -> None:
    """A worker begins by declaring, and runs the jobs that the ticks make."""
    app = App()
    ran = anyio.Event()

    @app.schedule(every=1)
    @app.task
    async def tick() -> None:
        ran.set()

    async with open_queue("memory://") as queue, app.worker(queue):
        assert (await queue.get_schedule("tick")).job.queue_name == "default"
        with anyio.fail_after(20):
            await ran.wait()


async def test_declaring_waits_for_a_queue_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that does not answer is asked again until it does (I17)."""
    monkeypatch.setattr("actorq.sdk.app.DECLARE_AGAIN_S", 0.01)
    app = program()
    async with open_door() as door, app.connect(door.queue):
        door.trouble.refuse["change_schedules"] = 4
        await app.declare_schedules()
        assert len(await door.queue.list_schedules()) == 2
        assert door.trouble.count("change_schedules") >= 3


async def test_who_is_not_connected_declares_nothing() -> None:
    """An app that knows no queue says so; one without schedules has nothing to say."""
    with pytest.raises(NotConnected):
        await program().declare_schedules()
    await App().declare_schedules()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "cron"),
        ({"cron": "often"}, "cron"),
        ({"cron": "@daily", "every": 5}, "cron"),
        ({"every": "0.5s"}, "every"),
        ({"every": 5, "zone": "Mars/Base"}, "zone"),
        ({"every": 5, "name": "no name"}, "name"),
        ({"every": 5, "catch_up": "some"}, "catch_up"),
        ({"every": 5, "catch_up_window": "40d"}, "catch_up_window"),
    ],
)
def test_what_cannot_be_scheduled_is_refused_where_it_stands(
    options: dict[str, Any], words: str
) -> None:
    """A wrong schedule is a ``TaskError`` when its module is imported, naming task and option."""
    app = App()

    @app.task
    async def work() -> None: ...

    with pytest.raises(TaskError, match=f"work.*{words}"):
        app.schedule(**options)(work)


def test_a_call_must_fit() -> None:
    """A task with arguments, a call with a time of its own, a name that is taken: ``TaskError``."""
    app = App()

    @app.task
    async def work(size: int = 1) -> None: ...

    @app.task
    async def other(size: int) -> None: ...

    with pytest.raises(TaskError, match=r"other.*size"):
        app.schedule(every=5)(other)
    with pytest.raises(TaskError, match="delay"):
        app.schedule_call(work.with_options(delay=5).call(), every=5)
    with pytest.raises(TaskError, match="expires_at"):
        app.schedule_call(work.with_options(expires_at=START).call(), every=5)
    assert app.schedule(every=5)(work) is work
    with pytest.raises(TaskError, match="work"):
        app.schedule_call(work.call(2), every=7)
    app.schedule_call(work.call(2), every=7, name="work-2")
    assert list(app.schedules) == ["work", "work-2"]
