"""Waves: over many shards, parents are written before their children that are in other ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from actorq.backends.redis import births, intake
from actorq.core import dependence
from actorq.core.job import DependentJob, Job, NewJob
from actorq.errors import ActorqError, BackendUnavailable, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.backends.redis.access import Access
    from actorq.backends.redis.desk import Answer
    from actorq.backends.redis.spreading import Spreader


def enqueue(spread: Spreader, items: Sequence[NewJob]) -> list[Answer]:
    """Write new jobs, each wave in one step for each shard.

    Within a shard they keep their order. Whether a child is accepted is not known as long as it is not known
    of a parent in the same batch.
    """
    if not births.has_children(items):
        return _write(spread, items, {})
    answers: dict[int, Answer] = {}
    stand_ins: dict[str, str] = {}
    unknown: dict[str, BackendUnavailable] = {}
    for places in _waves(spread, items):
        wave = [dependence.renamed(items[place], stand_ins) for place in places]
        for place, answer in zip(places, _attempt(spread, wave, dict(unknown)), strict=True):
            answers[place] = answer
            dependence.note_stand_in(stand_ins, items[place], answer)
            if isinstance(answer, BackendUnavailable):
                unknown[items[place].id] = answer
    if len(unknown) == len(items):
        raise next(iter(unknown.values()))
    return [answers[place] for place in range(len(items))]


def read_jobs(access: Access, ids: Sequence[str]) -> list[Job | ActorqError]:
    """Read the jobs of one shard."""
    _, records = access.read(ids)
    return [records[i].job if i in records else NotFound(i) for i in ids]


def _waves(spread: Spreader, items: Sequence[NewJob]) -> list[list[int]]:
    """Return the places of the items by waves: after their parents, and after those before them."""
    waves: list[list[int]] = []
    latest: dict[int, int] = {}
    made: dict[str, tuple[int, int]] = {}
    for place, new in enumerate(items):
        shard = spread.of_queue(new.queue_name).keys.shard
        number = latest.get(shard, 0)
        for parent_id in new.depends_on if type(new) is DependentJob else ():
            where, when = made.get(parent_id, (shard, 0))
            if where != shard:
                number = max(number, when + 1)
        latest[shard] = number
        made[new.id] = shard, number
        if number == len(waves):
            waves.append([])
        waves[number].append(place)
    return waves


def _attempt(
    spread: Spreader, wave: Sequence[NewJob], away: dict[str, BackendUnavailable]
) -> list[Answer]:
    """Write a wave, but for children of parents that are ``away`` or cannot be read."""
    elsewhere = _parents(spread, births.parents_of(wave), away)
    answers: dict[int, Answer] = {}
    for place, new in enumerate(wave):
        parents = new.depends_on if type(new) is DependentJob else ()
        lost = next((away[parent_id] for parent_id in parents if parent_id in away), None)
        if lost is not None:
            answers[place] = away[new.id] = lost
    places = [place for place in range(len(wave)) if place not in answers]
    try:
        written = _write(spread, [wave[place] for place in places], elsewhere)
    except BackendUnavailable as error:
        written = [error] * len(places)
    answers.update(zip(places, written, strict=True))
    return [answers[place] for place in range(len(wave))]


def _parents(
    spread: Spreader, ids: Sequence[str], away: dict[str, BackendUnavailable]
) -> dict[str, Job]:
    """Read parents wherever they are; note those as ``away`` whose shard is."""
    try:
        found = spread.by_id(ids, str, read_jobs)
    except BackendUnavailable as error:
        found = [error] * len(ids)
    jobs: dict[str, Job] = {}
    for parent_id, answer in zip(ids, found, strict=True):
        if isinstance(answer, BackendUnavailable):
            away[parent_id] = answer
        elif isinstance(answer, Job):
            jobs[parent_id] = answer
    return jobs


def _write(spread: Spreader, items: Sequence[NewJob], elsewhere: dict[str, Job]) -> list[Answer]:
    answers = spread.by_queue(
        items,
        lambda new: new.queue_name,
        lambda access, own: intake.enqueue(access, own, elsewhere),
    )
    # mypy sees only what the answers have in common.
    return cast("list[Answer]", answers)  # pyright: ignore[reportUnnecessaryCast] - it sees more
