"""Schedules over HTTP: defined, edited at a version, paused, run, previewed and removed."""

from __future__ import annotations

from urllib.parse import quote

import anyio
import msgspec

from tests.http.door import open_door
from tests.http.scheduled import NIGHTLY, Shown, put, shown


class Page(msgspec.Struct):
    """A page of schedules."""

    schedules: list[Shown]
    next: str | None


class Ticks(msgspec.Struct):
    """When a schedule comes due."""

    ticks: list[str]


async def test_a_schedule_is_made_and_shown() -> None:
    """POST answers 201 with where it is; GET shows the same, in UTC (§9)."""
    async with open_door(root="/api") as door:
        body = {
            **NIGHTLY,
            "name": "nightly",
            "job": {"queue": "reports", "payload": "{}", "priority": 5, "backoff": {"base": "2s"}},
            "starts_at": "2026-01-01T12:00:00+01:00",
            "catch_up": "ALL",
            "catch_up_window": "2h",
        }
        answer = await door.call("POST", "/schedules", body)
        schedule = shown(answer, 201)
        assert answer.headers["location"] == "/api/schedules/nightly"
        assert (schedule.cron, schedule.zone, schedule.every) == (
            "0 3 * * *",
            "Europe/Berlin",
            None,
        )
        assert schedule.next_tick == "2026-01-02T02:00:00.000000Z"
        assert schedule.starts_at == "2026-01-01T11:00:00.000000Z"
        assert (schedule.catch_up, schedule.catch_up_window) == ("all", 7_200.0)
        assert (schedule.job.queue_name, schedule.job.priority) == ("reports", 5)
        assert schedule.job.backoff["base"] == 2.0
        assert (schedule.fired, schedule.declared, schedule.last_tick) == (0, False, None)
        assert shown(await door.call("GET", "/schedules/nightly")) == schedule


async def test_a_name_is_taken_once() -> None:
    """POST of another schedule is 409, and of the same the same again (§9)."""
    async with open_door() as door:
        body = {"name": "nightly", **NIGHTLY}
        first = shown(await door.call("POST", "/schedules", body), 201)
        assert shown(await door.call("POST", "/schedules", body), 201) == first
        other = await door.call("POST", "/schedules", {**body, "cron": "@daily"})
        other.problem(409, "schedule_exists")
        headers = {"If-None-Match": "*"}
        answer = await door.call(
            "PUT", "/schedules/nightly", {**NIGHTLY, "paused": True}, headers=headers
        )
        answer.problem(409, "schedule_exists")
        answer = await door.call("PUT", "/schedules/new", NIGHTLY, headers=headers)
        assert shown(answer, 201).version == 1


async def test_a_change_belongs_to_a_version() -> None:
    """PUT, PATCH and DELETE with If-Match take only the version that it names: 412 (§9)."""
    async with open_door() as door:
        assert (await put(door)).version == 1
        assert (await put(door, cron="@hourly")).version == 2
        stale = {"If-Match": '"1"'}
        for method, body in (("PUT", NIGHTLY), ("PATCH", {"paused": True}), ("DELETE", None)):
            answer = await door.call(method, "/schedules/nightly", body, headers=stale)
            assert answer.problem(412, "stale_version").version == 2
        fresh = {"If-Match": '"7", "2"'}
        patched = await door.call("PATCH", "/schedules/nightly", {"cron": "@daily"}, headers=fresh)
        assert shown(patched).version == 3
        answer = await door.call("PUT", "/schedules/none", NIGHTLY, headers={"If-Match": "*"})
        answer.problem(404, "schedule_not_found")
        gone = await door.call("DELETE", "/schedules/nightly", headers={"If-Match": "*"})
        assert (gone.status, gone.read(Shown).version) == (200, 3)


async def test_a_part_is_changed() -> None:
    """PATCH leaves alone what it does not name; cron and every take each other's place (§9)."""
    async with open_door() as door:
        first = await put(door, catch_up="none", starts_at="2026-01-01T00:00:00Z")

        async def patch(**change: object) -> Shown:
            return shown(await door.call("PATCH", "/schedules/nightly", change))

        assert await patch() == first
        every = await patch(every="90s")
        assert (every.every, every.cron, every.zone, every.catch_up) == (
            90.0,
            None,
            "Europe/Berlin",
            "none",
        )
        assert (await patch(starts_at=None)).starts_at is None
        cron = await patch(cron="*/5 * * * *", zone="UTC", paused=True, catch_up_window=0)
        assert (cron.cron, cron.every, cron.paused, cron.next_tick) == (
            "*/5 * * * *",
            None,
            True,
            None,
        )
        job = (await patch(job={"queue_name": "other", "payload": "new"})).job
        assert (job.queue_name, job.payload) == ("other", "new")
        for wrong in ({"cron": None}, {"cron": "@daily", "every": 5}, {"zone": "Mars/Base"}):
            answer = await door.call("PATCH", "/schedules/nightly", wrong)
            answer.problem(422, "invalid_input")


async def test_a_schedule_is_paused_and_resumed() -> None:
    """Paused it has no next tick; resumed it has one again (§9)."""
    async with open_door() as door:
        await put(door)
        paused = shown(await door.call("POST", "/schedules/nightly/pause"))
        assert (paused.paused, paused.next_tick, paused.version) == (True, None, 2)
        assert shown(await door.call("POST", "/schedules/nightly/pause")) == paused
        resumed = shown(await door.call("POST", "/schedules/nightly/resume", {}))
        assert (resumed.paused, resumed.version) == (False, 3)
        assert resumed.next_tick is not None


class Made(msgspec.Struct):
    """What is read of a job that a schedule made."""

    id: str
    payload: str
    schedule: str | None = None
    tick: str | None = None


async def test_ticks_make_jobs_that_say_so() -> None:
    """A job tells the schedule and the tick that made it; the schedule tells of its jobs (§9)."""
    async with open_door() as door:
        schedule = await put(door, cron=None, every=1)
        door.clock.advance(1)
        # The scheduler's own clock is real: this waits for its next look at the store's.
        with anyio.fail_after(20):
            answer = await door.call("POST", "/queues/reports/dequeue", {"wait": 15})
        job = answer.read(Made)
        assert (job.schedule, job.tick) == ("nightly", schedule.next_tick)
        after = shown(await door.call("GET", "/schedules/nightly"))
        assert (after.fired, after.last_tick, after.last_job_id) == (1, schedule.next_tick, job.id)
        plain = await door.put()
        assert b"schedule" not in (await door.call("GET", f"/jobs/{plain.id}")).body


async def test_a_schedule_is_run_now() -> None:
    """POST run answers 201 with the job and where it is; a full queue is 429 (§9)."""
    async with open_door() as door:
        await put(door)
        answer = await door.call("POST", "/schedules/nightly/run")
        assert answer.status == 201
        job = answer.read(Made)
        assert (job.schedule, job.tick) == ("nightly", None)
        assert answer.headers["location"] == f"/jobs/{job.id}"
        await door.call("PATCH", "/queues/reports/settings", {"max_depth": 1})
        (await door.call("POST", "/schedules/nightly/run")).problem(429, "queue_full")


async def test_schedules_are_listed_in_pages() -> None:
    """By name; each page leads to the next, by cursor and by header (§9)."""
    async with open_door() as door:
        names = [f"s{number}" for number in range(5)]
        for name in reversed(names):
            await put(door, name)
        seen: list[str] = []
        target = "/schedules?limit=2"
        while True:
            answer = await door.call("GET", target)
            page = answer.read(Page)
            seen += [one.name for one in page.schedules]
            if page.next is None:
                assert "link" not in answer.headers
                break
            assert answer.headers["link"] == f'</schedules?limit=2&cursor={page.next}>; rel="next"'
            target = f"/schedules?limit=2&cursor={page.next}"
        assert seen == names
        (await door.call("GET", "/schedules?cursor=no+name")).problem(422, "invalid_input")
        (await door.call("GET", "/schedules?limit=201")).problem(422, "invalid_input")


async def test_ticks_are_previewed() -> None:
    """A schedule's next ticks, and those of a timing that nobody has defined yet (§9)."""
    async with open_door() as door:
        await put(door)
        answer = await door.call("GET", "/schedules/nightly/ticks?count=2")
        assert answer.read(Ticks).ticks == [
            "2026-01-01T02:00:00.000000Z",
            "2026-01-02T02:00:00.000000Z",
        ]
        assert len((await door.call("GET", "/schedules/nightly/ticks")).read(Ticks).ticks) == 10
        cron = quote("30 2 29 3 *")
        answer = await door.call("GET", f"/ticks?cron={cron}&zone=Europe/Berlin&count=1")
        assert answer.read(Ticks).ticks == ["2026-03-29T01:00:00.000000Z"]
        answer = await door.call("GET", "/ticks?every=1h30m&ends_at=2026-01-01T02:00:00Z")
        assert answer.read(Ticks).ticks == ["2026-01-01T01:30:00.000000Z"]
        for query in ("", "?cron=x", "?every=0", "?cron=@daily&every=5", "?cron=@daily&count=101"):
            (await door.call("GET", f"/ticks{query}")).problem(422, "invalid_input")


async def test_edits_that_name_no_version_all_count() -> None:
    """Of PATCHes at the same time none undoes another (§9)."""
    async with open_door() as door:
        await put(door)

        async def patch(change: dict[str, str]) -> None:
            shown(await door.call("PATCH", "/schedules/nightly", change))

        async with anyio.create_task_group() as tasks:
            for change in ({"cron": "@hourly"}, {"zone": "UTC"}, {"catch_up": "none"}):
                tasks.start_soon(patch, change)
        after = shown(await door.call("GET", "/schedules/nightly"))
        assert (after.cron, after.zone, after.catch_up) == ("@hourly", "UTC", "none")
        assert after.version == 4
