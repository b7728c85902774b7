"""Routes on schedules: how they are defined, what comes of them, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq.core import schedule_intake
from actorq.core.instants import format_instant
from actorq.core.ticks import Timing
from actorq.core.wire import bodies
from actorq.core.wire import schedules as wire
from actorq.core.wire.decoding import Reader
from actorq.core.wire.schedules import SchedulesView, TicksView, schedule_view
from actorq.core.wire.views import job_view
from actorq.errors import InvalidInput, StaleSchedule
from actorq.http.conditional import etag, parse_tags
from actorq.http.listing import next_links
from actorq.http.response import json
from actorq.http.routing import Route

if TYPE_CHECKING:
    from actorq.core.schedule import Schedule
    from actorq.face import JobQueue
    from actorq.http.request import Request
    from actorq.http.response import Header, Response

CREATED: Final = 201
OK: Final = 200
DEFAULT_LIMIT: Final = 50
DEFAULT_TICKS: Final = 10

ATTEMPTS: Final = 10
"""How often an edit that names no version is tried again because another one came between."""

_SCHEDULE = Reader(wire.ScheduleBody)
_EDIT = Reader(wire.ScheduleEditBody)
_EMPTY = Reader(bodies.EmptyBody)
_NOTHING = bodies.EmptyBody()


class Schedules:
    """What can be done with schedules over HTTP."""

    def __init__(self, queue: JobQueue) -> None:
        """Act on ``queue``."""
        self._queue = queue

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("GET", "/schedules", self.list_schedules),
            Route("POST", "/schedules", self.create),
            Route("GET", "/schedules/{name}", self.get),
            Route("PUT", "/schedules/{name}", self.put),
            Route("PATCH", "/schedules/{name}", self.edit),
            Route("DELETE", "/schedules/{name}", self.delete),
            Route("POST", "/schedules/{name}/pause", self.pause),
            Route("POST", "/schedules/{name}/resume", self.resume),
            Route("POST", "/schedules/{name}/run", self.run),
            Route("GET", "/schedules/{name}/ticks", self.get_ticks),
            Route("GET", "/ticks", self.preview),
        ]

    async def list_schedules(self, request: Request) -> Response:
        """List schedules by name, a page at a time."""
        query = request.query("limit", "cursor")
        limit = query.integer("limit", DEFAULT_LIMIT, least=1, most=200)
        cursor = query.text("cursor")
        if cursor is not None:
            schedule_intake.name_of(cursor, "/cursor")
        found = await self._queue.list_schedules(cursor or "", limit)
        following = found[-1].name if len(found) == limit else None
        view = SchedulesView([schedule_view(one) for one in found], following)
        return json(OK, view, *next_links(request, following))

    async def create(self, request: Request) -> Response:
        """Make a schedule that is not there yet."""
        body = await request.body(_SCHEDULE)
        if body.name is None:
            raise InvalidInput("/name", "is required")
        if body.declared:
            raise InvalidInput("/declared", "is for PUT: a declaration may find its schedule there")
        new = wire.new_schedule(body, body.name, self._queue.policy)
        return _made(request, await self._queue.put_schedule(new, must_be_new=True))

    async def get(self, request: Request) -> Response:
        """Show a schedule."""
        return _shown(await self._queue.get_schedule(request.name))

    async def put(self, request: Request) -> Response:
        """Make a schedule, or define it anew."""
        name = schedule_intake.name_of(request.name)
        body = await request.body(_SCHEDULE)
        if body.name not in {None, name}:
            raise InvalidInput("/name", "is another than that of the path")
        new = wire.new_schedule(body, name, self._queue.policy)
        if body.declared:
            (declared,) = await self._queue.declare_schedules([new])
            return _shown(declared)
        none_match = request.header(b"if-none-match")
        if none_match is not None and none_match.strip() != "*":
            raise InvalidInput("", "the header If-None-Match can only be * here")
        version = await self._expected_version(request)
        put = await self._queue.put_schedule(
            new, version=version, must_be_new=none_match is not None
        )
        return _made(request, put) if put.version == 1 else _shown(put)

    async def edit(self, request: Request) -> Response:
        """Change some of a schedule."""
        body = await request.body(_EDIT)
        expected = await self._expected_version(request)
        for attempts_left in reversed(range(ATTEMPTS)):
            before = await self._queue.get_schedule(request.name)
            version = before.version if expected is None else expected
            new = wire.edited(body, before.definition, self._queue.policy)
            try:
                return _shown(await self._queue.put_schedule(new, version=version))
            except StaleSchedule:
                if expected is not None or not attempts_left:
                    raise
        raise AssertionError

    async def delete(self, request: Request) -> Response:
        """Remove a schedule, and show what it was."""
        version = await self._expected_version(request)
        gone = await self._queue.delete_schedule(request.name, version=version)
        return json(OK, schedule_view(gone))

    async def pause(self, request: Request) -> Response:
        """Let a schedule make no more jobs."""
        await request.optional_body(_EMPTY, _NOTHING)
        return _shown(await self._queue.pause_schedule(request.name))

    async def resume(self, request: Request) -> Response:
        """Let a schedule go on."""
        await request.optional_body(_EMPTY, _NOTHING)
        return _shown(await self._queue.resume_schedule(request.name))

    async def run(self, request: Request) -> Response:
        """Make a schedule's job now."""
        await request.optional_body(_EMPTY, _NOTHING)
        job = await self._queue.run_schedule(request.name)
        location = (b"location", f"{request.root}/jobs/{job.id}".encode())
        return json(CREATED, job_view(job), location, etag(job))

    async def get_ticks(self, request: Request) -> Response:
        """Show when a schedule comes due next."""
        query = request.query("count")
        count = query.integer("count", DEFAULT_TICKS, least=1, most=schedule_intake.MAX_TICKS)
        return _ticks(await self._queue.preview_ticks(request.name, count))

    async def preview(self, request: Request) -> Response:
        """Show when a schedule of this timing would come due."""
        query = request.query("cron", "every", "zone", "starts_at", "ends_at", "count")
        every = query.seconds("every") if query.text("every") is not None else None
        timing = Timing(
            cron=query.text("cron"),
            every=every,
            zone=query.text("zone") or "UTC",
            starts_at=query.instant("starts_at"),
            ends_at=query.instant("ends_at"),
        )
        count = query.integer("count", DEFAULT_TICKS, least=1, most=schedule_intake.MAX_TICKS)
        return _ticks(await self._queue.preview_ticks(timing, count))

    async def _expected_version(self, request: Request) -> int | None:
        """Return the version to which the caller's change belongs, None for whichever it is."""
        header = request.header(b"if-match")
        if header is None:
            return None
        tags = parse_tags(header, "If-Match")
        if len(tags.strong) == 1:
            return next(iter(tags.strong))
        schedule = await self._queue.get_schedule(request.name)
        if not tags.any and schedule.version not in tags.strong:
            raise StaleSchedule(schedule.name, schedule.version)
        return schedule.version


def _shown(schedule: Schedule) -> Response:
    return json(OK, schedule_view(schedule), _etag(schedule))


def _made(request: Request, schedule: Schedule) -> Response:
    location = (b"location", f"{request.root}/schedules/{schedule.name}".encode())
    return json(CREATED, schedule_view(schedule), location, _etag(schedule))


def _ticks(instants: list[int]) -> Response:
    return json(OK, TicksView([format_instant(instant) for instant in instants]))


def _etag(schedule: Schedule) -> Header:
    return (b"etag", b'"%d"' % schedule.version)
