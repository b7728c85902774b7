"""Routes that list jobs, a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, urlencode

from actorq.core import bounds, intake
from actorq.core.commands import ListJobs
from actorq.core.transitions import Status
from actorq.core.wire.bodies import status_of
from actorq.core.wire.envelopes import PageView
from actorq.core.wire.views import job_view
from actorq.errors import InvalidInput
from actorq.http.cursors import read_cursor, write_cursor
from actorq.http.response import json
from actorq.http.routing import own_path

if TYPE_CHECKING:
    from actorq.core.job import Job
    from actorq.core.results import Page
    from actorq.face import JobQueue
    from actorq.http.query import Query
    from actorq.http.request import Request
    from actorq.http.response import Header, Response

DEFAULT_LIMIT: Final = 50
PAGE_BYTES: Final = 8 * 1_048_576
"""A page ends early at this size of payloads and results: its reader has to hold it, and so do we."""

_METADATA: Final = "metadata."
_PAGING: Final = ("created_from", "created_to", "error", "limit", "cursor")


class Listing:
    """Lists jobs, newest first."""

    def __init__(self, queue: JobQueue) -> None:
        """List jobs of ``queue``."""
        self._queue = queue

    async def list_jobs(self, request: Request) -> Response:
        """List jobs by queue, status, time, metadata and error text."""
        known = ("queue_name", "queue", "status", *_PAGING)
        query = request.query(*known, prefixes=(_METADATA,))
        names = {name for key in ("queue_name", "queue") if (name := query.text(key))}
        if len(names) > 1:
            raise InvalidInput("/queue", "contradicts queue_name: say one of them")
        statuses = frozenset(status_of(text, "/status") for text in query.texts("status"))
        queue_name = bounds.queue_name(names.pop()) if names else None
        return await self._page(request, _filter(query, queue_name, statuses))

    async def list_dead(self, request: Request) -> Response:
        """List the dead letters of a queue."""
        queue_name = bounds.queue_name(request.name)
        query = request.query(*_PAGING, prefixes=(_METADATA,))
        return await self._page(request, _filter(query, queue_name, frozenset({Status.DEAD})))

    async def _page(self, request: Request, wanted: ListJobs) -> Response:
        page = _trimmed(await self._queue.list_jobs(wanted))
        cursor = None if page.next_before is None else write_cursor(page.next_before)
        view = PageView([job_view(job) for job in page.jobs], cursor)
        return json(200, view, *next_links(request, cursor))


def _filter(query: Query, queue_name: str | None, statuses: frozenset[Status]) -> ListJobs:
    return ListJobs(
        queue_name=queue_name,
        statuses=statuses,
        created_from=query.instant("created_from"),
        created_to=query.instant("created_to"),
        metadata=bounds.metadata(query.under(_METADATA)),
        error=query.text("error"),
        before=read_cursor(query.text("cursor")),
        limit=query.integer("limit", DEFAULT_LIMIT, least=1, most=intake.MAX_LIST),
    )


def _trimmed(page: Page) -> Page:
    """Return the jobs that fit into the size of a page; the next one begins where it was cut."""
    size = 0
    for number, job in enumerate(page.jobs):
        size += _weight(job)
        if size > PAGE_BYTES and number:
            jobs = page.jobs[:number]
            return type(page)(jobs, next_before=jobs[-1].id)
    return page


def _weight(job: Job) -> int:
    return len(job.payload) + len(job.result or "") + len(job.progress or "")


def next_links(request: Request, cursor: str | None) -> list[Header]:
    """Return the header that leads to the next page: this request with another cursor."""
    if cursor is None:
        return []
    sent = parse_qsl(request.scope["query_string"].decode("ascii"), keep_blank_values=True)
    kept = [(name, value) for name, value in sent if name != "cursor"]
    path = request.root + quote(own_path(request.scope))
    link = f'<{path}?{urlencode([*kept, ("cursor", cursor)])}>; rel="next"'
    return [(b"link", link.encode())]
