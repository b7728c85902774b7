"""Routes on queues: figures, lengths, settings, pausing, purging and bulk redrives."""

from __future__ import annotations

import anyio
import msgspec
import pytest

from actorq.core.policy import Policy, Retention
from tests.http.door import open_door
from tests.http.shown import Answer, Figures


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """A queue's settings, complete."""

    queue_name: str
    paused: bool
    paused_reason: str | None
    max_running: int | None
    max_depth: int | None
    visibility_timeout: float | None
    retention: dict[str, float] | None


async def test_queues_are_listed_with_their_figures() -> None:
    """GET /queues: name, counts by status, paused, age of the oldest pending job, when read (§9)."""
    async with open_door() as door:
        await door.queue.enqueue("other", "x")
        await door.put(delay=60)
        await door.held()
        door.clock.advance(1.5)
        await door.put()
        door.clock.advance(0.25)
        answer = await door.call("GET", "/queues")
        other, work = answer.read(list[Figures])
        assert (other.name, other.pending, other.oldest_pending_age) == ("other", 1, 1.75)
        assert (work.pending, work.delayed, work.running, work.accepted) == (1, 1, 1, 3)
        assert (work.oldest_pending_age, work.paused) == (0.25, False)
        assert work.as_of == "2026-01-01T00:00:01.750000Z"


async def test_figures_are_read_at_most_once_a_second() -> None:
    """GET /queues may be a second old: many who ask at once cost the store one reading (§8)."""
    async with open_door() as door:
        answers: list[Answer] = []

        async def ask() -> None:
            answers.append(await door.call("GET", "/queues"))

        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(ask)
        assert [answer.status for answer in answers] == [200] * 20
        assert door.trouble.count("list_queues") == 1


async def test_a_failed_reading_is_not_kept() -> None:
    """A store that was away when the figures were read is asked again by the next (§8)."""
    async with open_door() as door:
        door.trouble.refuse["list_queues"] = 2
        (await door.call("GET", "/queues")).problem(503, "backend_unavailable")
        assert (await door.call("GET", "/queues")).status == 200


async def test_one_queue_shows_its_figures_now() -> None:
    """GET /queues/:name is read now; a queue without a job has zeros (§8)."""
    async with open_door() as door:
        empty = (await door.call("GET", "/queues/work")).read(Figures)
        assert (empty.name, empty.pending, empty.accepted) == ("work", 0, 0)
        assert empty.oldest_pending_age is None
        for number in range(1, 3):
            await door.put()
            assert (await door.call("GET", "/queues/work")).read(Figures).pending == number


async def test_a_length_counts_pending_jobs() -> None:
    """GET /queues/:name/length: pending only, exactly; an unknown queue has 0 (§8, §9)."""
    async with open_door() as door:
        await door.put(delay=5)
        await door.held()
        await door.put()
        answer = await door.call("GET", "/queues/work/length")
        assert answer.read(dict[str, object]) == {
            "queue_name": "work",
            "length": 1,
            "pending": 1,
            "delayed": 1,
            "running": 1,
            "paused": False,
        }
        unknown = await door.call("GET", "/queues/nobody/length")
        assert unknown.read(dict[str, object])["length"] == 0


async def test_a_queue_is_paused_and_resumed() -> None:
    """Pause keeps its reason until the resume, with empty bodies too (§8)."""
    async with open_door() as door:
        await door.put()
        paused = await door.call("POST", "/queues/work/pause", {"reason": "for now"})
        assert paused.read(Settings).paused_reason == "for now"
        assert (await door.call("GET", "/queues/work")).read(Figures).paused
        length = await door.call("GET", "/queues/work/length")
        assert length.read(dict[str, object])["paused"] is True
        resumed = (await door.call("POST", "/queues/work/resume")).read(Settings)
        assert (resumed.paused, resumed.paused_reason) == (False, None)
        assert (await door.call("POST", "/queues/work/pause")).read(Settings).paused


async def test_settings_are_changed_one_by_one() -> None:
    """PATCH changes what is named; null goes back to the server's default; ``{}`` nothing (§8)."""
    async with open_door() as door:
        target = "/queues/work/settings"
        nothing = (await door.call("PATCH", target, {})).read(Settings)
        assert nothing == Settings("work", False, None, None, None, None, None)
        body = {
            "max_running": 2,
            "visibility_timeout": "1m",
            "retention": {"completed": "1d", "max_dead": 10},
        }
        changed = (await door.call("PATCH", target, body)).read(Settings)
        assert (changed.max_running, changed.visibility_timeout) == (2, 60.0)
        assert changed.retention is not None
        assert (changed.retention["completed"], changed.retention["max_dead"]) == (86_400.0, 10)
        again = (await door.call("PATCH", target, {"max_running": None})).read(Settings)
        assert (again.max_running, again.visibility_timeout) == (None, 60.0)
        assert (await door.call("GET", target)).read(Settings) == again
        for _ in range(3):
            await door.put()
        job = await door.take()
        assert job.lease is not None
        assert job.lease.visibility_timeout == 60.0


async def test_what_a_retention_leaves_out_is_the_servers() -> None:
    """A queue's retention says one thing and has the server's settings for the rest (§8)."""
    usual = Retention(completed=7.0, dead=8.0, max_cancelled=9)
    async with open_door(policy=Policy(retention=usual)) as door:
        target = "/queues/work/settings"
        for said in ({"dead": "1m"}, {"completed": None, "dead": 60}):
            changed = (await door.call("PATCH", target, {"retention": said})).read(Settings)
            assert changed.retention == {
                "completed": 7.0,
                "dead": 60.0,
                "cancelled": 86_400.0,
                "max_completed": 1_000_000,
                "max_dead": 1_000_000,
                "max_cancelled": 9,
            }


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"max_running": -1}, "/max_running"),
        ({"max_running": True}, "/max_running"),
        ({"max_depth": 1.5}, "/max_depth"),
        ({"max_depth": 2**63}, "/max_depth"),
        ({"visibility_timeout": 0}, "/visibility_timeout"),
        ({"retention": {"dead": -1}}, "/retention/dead"),
        ({"retention": {"max_dead": -1}}, "/retention/max_dead"),
        ({"retention": {"running": 1}}, "/retention/running"),
        ({"paused": True}, "/paused"),
    ],
)
async def test_wrong_settings_are_refused(body: dict[str, object], place: str) -> None:
    """A setting beyond its bounds, or unknown: 422 that names it, and nothing changes (§8)."""
    async with open_door() as door:
        answer = await door.call("PATCH", "/queues/work/settings", body)
        assert answer.places() == [place]
        assert (await door.call("GET", "/queues")).read(list[Figures]) == []


async def test_a_queue_is_purged() -> None:
    """POST /queues/:name/purge removes waiting jobs, or the statuses named; never running ones (§9)."""
    async with open_door() as door:
        running = await door.held()
        dead = await door.bury()
        await door.put()
        await door.put(delay=60)
        assert await door.purge("/queues/work/purge") == 2
        assert await door.purge("/queues/work/purge") == 0
        assert await door.purge("/queues/work/purge", {"statuses": ["DEAD", "completed"]}) == 1
        (await door.call("GET", f"/jobs/{dead}")).problem(404, "not_found")
        assert (await door.look(running.id)).status == "running"
        for statuses in (["running"], [], ["asleep"], ["dead", "running"]):
            answer = await door.call("POST", "/queues/work/purge", {"statuses": statuses})
            assert answer.places() == ["/statuses"]
        figures = (await door.call("GET", "/queues/work")).read(Figures)
        assert (figures.accepted, figures.running, figures.pruned) == (4, 1, 3)


NAMES = [
    "%00",
    "%0D%0AX-A:%20b",
    "a%20b",
    "%7Bx%7D",
    "*",
    "..",
    "a" * 129,
    "%C3%A9",
    "e%CC%81",
    "-a",
    "",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("method", "tail"),
    [
        ("GET", ""),
        ("GET", "/length"),
        ("GET", "/settings"),
        ("GET", "/dead"),
        ("POST", "/dequeue"),
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("POST", "/purge"),
        ("POST", "/redrive"),
        ("POST", "/dead/purge"),
        ("PATCH", "/settings"),
    ],
)
async def test_an_illegal_name_is_refused(method: str, tail: str, name: str) -> None:
    """A name that no queue can have: 422 on every route, and no queue is made (§1, F4)."""
    async with open_door() as door:
        body = dict[str, object]() if method == "PATCH" else None
        answer = await door.call(method, f"/queues/{name}{tail}", body)
        if name or tail:
            assert answer.places() == ["/queue_name"]
        else:
            answer.problem(404, "no_such_route")
        assert await door.queue.list_queues() == []
