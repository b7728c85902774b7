"""Routes for many jobs at once: each item is judged by itself, and the answers keep the order."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import UNSET

from actorq.core.bounds import is_job_id
from actorq.core.commands import Ack, Fail, Release
from actorq.core.job import DependentJob, Job
from actorq.core.results import PrunedReplay, Settled
from actorq.core.wire import bodies, requests
from actorq.core.wire.decoding import Reader
from actorq.core.wire.envelopes import BatchView, ItemView
from actorq.core.wire.views import enqueued_view, job_view, pruned_view
from actorq.errors import ActorqError, InvalidInput, NotFound, TokenRequired
from actorq.http import problems
from actorq.http.idempotency import refuse_key
from actorq.http.jobs import OK, created_status
from actorq.http.response import json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from actorq.core.job import NewJob
    from actorq.core.results import Enqueued
    from actorq.face import JobQueue
    from actorq.http.options import AppOptions
    from actorq.http.request import Request
    from actorq.http.response import Response

    Settlement = Ack | Fail | Release

T = TypeVar("T")

_BATCH = Reader(bodies.BatchBody)
_JOB = Reader(bodies.EnqueueBody)
_SETTLE = Reader(bodies.SettleBody)
_ITEM = Reader(bodies.SettleItem)


class Batches:
    """Many jobs or settlements in one request."""

    def __init__(self, queue: JobQueue, options: AppOptions) -> None:
        """Act on ``queue`` within the bounds of ``options``."""
        self._queue = queue
        self._options = options

    async def enqueue_batch(self, request: Request) -> Response:
        """Make jobs in one step; one that is refused leaves the others alone."""
        body = await request.body(_BATCH)
        refuse_key(request)
        check_size(body.jobs, "/jobs", self._options.max_batch)
        items = [_readable(raw) for raw in body.jobs]
        judged: list[NewJob | ActorqError] = []
        for item in items:
            judged.append(self._new_job(item, judged))
        results = iter(await self._queue.enqueue_many(_accepted(judged)))
        answers = [one if isinstance(one, ActorqError) else next(results) for one in judged]
        _name_refused_parents(items, judged, answers)
        return json(OK, BatchView([_enqueued_item(one, request.id) for one in answers]))

    def _new_job(
        self, body: bodies.EnqueueBody | ActorqError, earlier: Sequence[NewJob | ActorqError]
    ) -> NewJob | ActorqError:
        if isinstance(body, ActorqError):
            return body
        queue = self._queue
        try:
            job_id = queue.mint_id(requests.named_queue(body))
            return requests.new_job(
                body, job_id, queue.policy, header_key=None, caller="", earlier=earlier
            )
        except ActorqError as error:
            return error

    async def settle(self, request: Request) -> Response:
        """Acknowledge, fail and release jobs."""
        body = await request.body(_SETTLE)
        check_size(body.items, "/items", self._options.max_batch)
        judged = [self._settlement(raw) for raw in body.items]
        queue = self._queue
        done = {
            Ack: await _settled(queue.ack_many, [i for i in judged if isinstance(i, Ack)]),
            Fail: await _settled(queue.fail_many, [i for i in judged if isinstance(i, Fail)]),
            Release: await _settled(
                queue.release_many, [i for i in judged if isinstance(i, Release)]
            ),
        }
        items = [
            job_item(i if isinstance(i, ActorqError) else next(done[type(i)]), request.id)
            for i in judged
        ]
        return json(OK, BatchView(items))

    def _settlement(self, raw: msgspec.Raw) -> Settlement | ActorqError:
        try:
            item = _ITEM.read_part(raw)
            if not is_job_id(item.id):
                return NotFound(f"{item.id!a:.100}")
            if self._options.require_lease_token and item.lease is None:
                return TokenRequired()
            return requests.settlement(item, self._queue.policy)
        except ActorqError as error:
            return error


def check_size(items: Sequence[object], pointer: str, most: int) -> None:
    """Refuse a batch of more than ``most`` items."""
    if len(items) > most:
        raise InvalidInput(pointer, f"must have at most {most} items, not {len(items)}")


def job_item(result: Job | Settled | ActorqError, request_id: str) -> ItemView:
    """Show what became of one item of a batch."""
    if isinstance(result, ActorqError):
        return error_item(result, request_id)
    job = result.job if isinstance(result, Settled) else result
    return ItemView(status=OK, job=_raw(job_view(job)))


def error_item(error: ActorqError, request_id: str) -> ItemView:
    """Show the refusal of one item."""
    problem = problems.problem(error, request_id)
    return ItemView(status=problem.status, error=problem)


def _enqueued_item(result: Enqueued | PrunedReplay | ActorqError, request_id: str) -> ItemView:
    if isinstance(result, ActorqError):
        return error_item(result, request_id)
    if isinstance(result, PrunedReplay):
        return ItemView(status=created_status(result), job=_raw(pruned_view(result)), replayed=True)
    return ItemView(
        status=created_status(result),
        job=_raw(enqueued_view(result)),
        replayed=True if result.replayed else UNSET,
    )


def _readable(raw: msgspec.Raw) -> bodies.EnqueueBody | ActorqError:
    try:
        return _JOB.read_part(raw)
    except ActorqError as error:
        return error


def _name_refused_parents(
    items: Sequence[bodies.EnqueueBody | ActorqError],
    judged: Sequence[NewJob | ActorqError],
    answers: list[Enqueued | PrunedReplay | ActorqError],
) -> None:
    """Say of a job whose parent the store refused which item that was: its id is known to nobody."""
    for number, (item, new) in enumerate(zip(items, judged, strict=True)):
        if type(new) is not DependentJob or not isinstance(answers[number], InvalidInput):
            continue
        names = () if isinstance(item, ActorqError) else item.depends_on or ()
        for place, name in enumerate(names):
            parent = requests.place_of(name)
            if parent is not None and isinstance(answers[parent], ActorqError):
                answers[number] = requests.refused_parent(place, name)
                break


def _accepted(judged: Sequence[T | ActorqError]) -> list[T]:
    return [one for one in judged if not isinstance(one, ActorqError)]


async def _settled(
    verb: Callable[[Sequence[T]], Awaitable[list[Settled | ActorqError]]], items: Sequence[T]
) -> Iterator[Settled | ActorqError]:
    """Settle items in one way; should that fail for all of them, each says so."""
    if not items:
        return iter(())
    try:
        return iter(await verb(items))
    except ActorqError as error:
        return repeat(error, len(items))


def _raw(view: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(view))
