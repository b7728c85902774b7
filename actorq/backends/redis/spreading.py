"""Spreading: the items of a batch go to their shards, and their answers come back in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar, cast

from actorq.errors import ActorqError, BackendUnavailable, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from actorq.backends.redis.access import Access
    from actorq.backends.redis.link import Wire
    from actorq.backends.redis.shards import Shards
    from actorq.core.job import NewJob

SOON_S: Final = 1.0
"""Seconds after which a shard is looked at again that was unavailable."""

T = TypeVar("T")
R = TypeVar("R")


class Spreader:
    """Knows which shards are in use, and where the jobs are whose ids name another shard."""

    def __init__(self, wire: Wire, shards: Shards, make_access: Callable[[int], Access]) -> None:
        """Reach the shards over ``wire``; ``make_access`` gives the way to one of them."""
        self._wire = wire
        self._shards = shards
        self._make_access = make_access
        self._accesses: dict[int, Access] = {}
        self._noted: set[int] = set()

    # ── shards ──────────────────────────────────────────────────────────────────────────────────

    def access(self, shard: int) -> Access:
        """Return the way to one shard."""
        access = self._accesses.get(shard)
        if access is None:
            access = self._accesses[shard] = self._make_access(shard)
        return access

    def of_queue(self, name: str) -> Access:
        """Return the way to a queue's shard."""
        return self.access(self._shards.of_queue(name))

    def used(self) -> list[Access]:
        """Return the ways to all shards that have ever had a queue."""
        found = cast(
            "set[bytes] | list[bytes]", self._wire.call(b"SMEMBERS", self._shards.meta.used)
        )
        return [self.access(shard) for shard in sorted(map(int, found))]

    def over_used(self, sweep: Callable[[Access], float | None]) -> float | None:
        """Do something in every shard that is in use; return the least number of seconds that it answers.

        A shard that is unavailable does not keep the others waiting, and is looked at again soon.
        """
        nexts: list[float] = []
        failures: list[BackendUnavailable] = []
        used = self.used()
        for access in used:
            try:
                next_in = sweep(access)
            except BackendUnavailable as error:
                failures.append(error)
                next_in = SOON_S
            if next_in is not None:
                nexts.append(next_in)
        if failures and len(failures) == len(used):
            raise failures[0]
        return min(nexts, default=None)

    def note_queues(self, names: Iterable[str]) -> None:
        """Take note that the shards of these queues are in use, before anything is in them."""
        fresh = {self._shards.of_queue(name) for name in names} - self._noted
        if fresh:
            members = [b"%d" % shard for shard in sorted(fresh)]
            self._wire.call(b"SADD", self._shards.meta.used, *members)
            self._noted |= fresh

    # ── jobs that are not where their ids say ───────────────────────────────────────────────────

    def note_jobs(self, items: Iterable[NewJob]) -> None:
        """Take note of the shards of jobs whose ids name another, before the jobs are there."""
        notes: dict[int, list[bytes]] = {}
        for new in items:
            shard = self._shards.of_queue(new.queue_name)
            named = self._shards.of_id(new.id)
            if named != shard:
                notes.setdefault(named, []).extend((new.id.encode(), b"%d" % shard))
        for named, fields in notes.items():
            self._wire.call(b"HSET", self._shards.keys(named).where, *fields)

    def forget_jobs(self, ids: Iterable[str]) -> None:
        """Remove the notes about jobs that are gone."""
        notes: dict[int, list[bytes]] = {}
        for job_id in ids:
            notes.setdefault(self._shards.of_id(job_id), []).append(job_id.encode())
        for named, fields in notes.items():
            self._wire.call(b"HDEL", self._shards.keys(named).where, *fields)

    def _noted_shards(self, ids: Sequence[str]) -> dict[str, int]:
        """Return the shards that were noted for jobs of these ids."""
        places = _grouped(ids, self._shards.of_id)
        found: dict[str, int] = {}
        for named, own in places.items():
            asked = [ids[place] for place in own]
            fields = [job_id.encode() for job_id in asked]
            notes = self._wire.call(b"HMGET", self._shards.keys(named).where, *fields)
            pairs = zip(asked, cast("list[bytes | None]", notes), strict=True)
            found |= {job_id: int(note) for job_id, note in pairs if note is not None}
        return found

    # ── batches ─────────────────────────────────────────────────────────────────────────────────

    def by_queue(
        self,
        items: Sequence[T],
        name_of: Callable[[T], str],
        call: Callable[[Access, Sequence[T]], Sequence[R | ActorqError]],
    ) -> list[R | ActorqError]:
        """Make a call for each shard of the items' queues."""
        return self._spread(items, lambda item: self._shards.of_queue(name_of(item)), call)

    def by_id(
        self,
        items: Sequence[T],
        id_of: Callable[[T], str],
        call: Callable[[Access, Sequence[T]], Sequence[R | ActorqError]],
    ) -> list[R | ActorqError]:
        """Make a call for each shard of the items' jobs: where this process knows them, or their ids say.

        What is not found there is looked for where it was noted to be.
        """
        answers = self._spread(items, lambda item: self._likely(id_of(item)), call)
        missing = [place for place, answer in enumerate(answers) if isinstance(answer, NotFound)]
        noted = self._noted_shards([id_of(items[place]) for place in missing])
        again = [place for place in missing if id_of(items[place]) in noted]
        elsewhere = [items[place] for place in again]
        found = self._spread(elsewhere, lambda item: noted[id_of(item)], call)
        for place, answer in zip(again, found, strict=True):
            answers[place] = answer
        return answers

    def _likely(self, job_id: str) -> int:
        record = self.access(0).recent.find(job_id)
        if record is not None:
            return self._shards.of_queue(record.job.queue_name)
        return self._shards.of_id(job_id)

    def _spread(
        self,
        items: Sequence[T],
        shard_of: Callable[[T], int],
        call: Callable[[Access, Sequence[T]], Sequence[R | ActorqError]],
    ) -> list[R | ActorqError]:
        """Make a call for each shard. A shard that is unavailable fails its own items only.

        If all are, the batch as a whole is: it is then repeated as one on a single server would be.
        """
        answers: dict[int, R | ActorqError] = {}
        places = _grouped(items, shard_of)
        failures: list[BackendUnavailable] = []
        for shard, own in places.items():
            try:
                found = call(self.access(shard), [items[place] for place in own])
            except BackendUnavailable as error:
                failures.append(error)
                found = [error] * len(own)
            answers.update(zip(own, found, strict=True))
        if failures and len(failures) == len(places):
            raise failures[0]
        return [answers[place] for place in range(len(items))]


def _grouped(items: Sequence[T], shard_of: Callable[[T], int]) -> dict[int, list[int]]:
    """Return the places of the items, by their shards."""
    places: dict[int, list[int]] = {}
    for place, item in enumerate(items):
        places.setdefault(shard_of(item), []).append(place)
    return places
