"""Answers to batches: one result for each item that was sent, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from actorq.core.results import Settled
from actorq.errors import ActorqError
from actorq.sdk.client.errors import BadAnswer
from actorq.sdk.client.exchange import Subject
from actorq.sdk.client.problems import Problem
from actorq.sdk.client.reading import read_enqueued, read_job, understanding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.core.job import Job
    from actorq.core.results import Enqueued, PrunedReplay
    from actorq.sdk.client.exchange import Answer


_NOTHING: Final = msgspec.Raw()


class _Item(msgspec.Struct, frozen=True):
    status: int
    job: msgspec.Raw = _NOTHING
    replayed: bool = False
    error: Problem | None = None


class _Batch(msgspec.Struct, frozen=True):
    results: list[_Item]


_batch: Final = msgspec.json.Decoder(_Batch)


def enqueued_items(
    answer: Answer, about: Sequence[Subject]
) -> list[Enqueued | PrunedReplay | ActorqError]:
    """Return what became of each job that was to be made."""
    with understanding(answer):
        return [
            read_enqueued(_job_of(item), subject, item.status, replayed=item.replayed)
            if item.error is None
            else item.error.error(subject)
            for item, subject in _pairs(answer, about)
        ]


def settled_items(answer: Answer, about: Sequence[Subject]) -> list[Settled | ActorqError]:
    """Return what became of each settlement; whether one is a repeat is not told over HTTP."""
    return [
        one if isinstance(one, ActorqError) else Settled(one) for one in job_items(answer, about)
    ]


def job_items(answer: Answer, about: Sequence[Subject] | None) -> list[Job | ActorqError]:
    """Return one job or refusal an item; ``about`` is None where the server chose the items."""
    with understanding(answer):
        return [
            read_job(_job_of(item), subject) if item.error is None else item.error.error(subject)
            for item, subject in _pairs(answer, about)
        ]


def _pairs(answer: Answer, about: Sequence[Subject] | None) -> list[tuple[_Item, Subject]]:
    items = _batch.decode(answer.body).results
    subjects = [Subject()] * len(items) if about is None else about
    if len(items) != len(subjects):
        raise BadAnswer(f"{len(subjects)} items were sent, and {len(items)} were answered")
    return list(zip(items, subjects, strict=True))


def _job_of(item: _Item) -> msgspec.Raw:
    if not item.job:
        raise msgspec.ValidationError("a result has neither a job nor an error")
    return item.job
