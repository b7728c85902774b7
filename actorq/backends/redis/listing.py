"""Listings: newest first, by the lists that every queue keeps for each status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from actorq.backends.redis import scripting
from actorq.core.results import Page
from actorq.core.transitions import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from actorq.backends.redis.access import Access
    from actorq.core.commands import ListJobs
    from actorq.core.job import Job

MOST_SCANNED: Final = 1_000
"""How many records one page looks at for a filter that has no index."""

MOST_PRIORITIES: Final = 200
"""In how many priorities the pending jobs of a queue are searched one by one."""

_TOO_MANY: Final = b"?"
_MEMBER: Final = 44
_ID: Final = 36
_A_CALL: Final = 1_000
"""How many lists one script looks into."""


class _Bounds(NamedTuple):
    """Between which members to look: not below ``lower``, and below ``upper``."""

    lower: bytes = b""
    upper: bytes = b"\xff"

    def include(self, member: bytes) -> bool:
        """Tell whether a member lies between."""
        return self.lower <= member < self.upper


def list_jobs(access: Access, query: ListJobs) -> Page:
    """List jobs, newest first."""
    statuses = query.statuses or frozenset(Status)
    lists = _Lists(access, _names(access, query), sorted(statuses))
    bounds = _bounds(access, query)
    plain = not query.metadata and query.error is None
    found: list[Job] = []
    scanned = 0
    while True:
        # One more than is wanted tells whether the list goes on.
        wanted = query.limit + 1 if plain else min(query.limit + 1, 200)
        members = lists.newest(bounds, wanted)
        ids = [member[:_ID].decode() for member in members if _in_time(member, query)]
        _, records = access.read(ids)
        for job_id in ids:
            job = records[job_id].job if job_id in records else None
            if job is not None and job.status in statuses and _matches(job, query):
                found.append(job)
                if len(found) > query.limit:
                    return Page(tuple(found[: query.limit]), found[query.limit - 1].id)
        if len(members) < wanted:
            return Page(tuple(found))
        scanned += len(members)
        last = members[-1][:_ID]
        if scanned >= MOST_SCANNED:
            return Page(tuple(found), last.decode())
        bounds = bounds._replace(upper=last)


def merged(pages: Sequence[Page], query: ListJobs) -> Page:
    """Return the pages of several shards as one."""
    jobs = sorted(
        (job for page in pages for job in page.jobs), key=lambda job: job.id, reverse=True
    )
    # Below the end of a page that goes on, its shard may have more: the list must not go further.
    ends = [page.next_before for page in pages if page.next_before is not None]
    end = max(ends, default=None)
    known = [job for job in jobs if end is None or job.id >= end]
    if len(known) > query.limit:
        return Page(tuple(known[: query.limit]), known[query.limit - 1].id)
    return Page(tuple(known), end)


def _names(access: Access, query: ListJobs) -> list[str]:
    if query.queue_name is not None:
        return [query.queue_name]
    known = cast("list[bytes]", access.link.call(b"HKEYS", access.keys.queues))
    return [name.decode() for name in known]


def _in_time(member: bytes, query: ListJobs) -> bool:
    created_at = int.from_bytes(member[_ID:], "big")
    return (query.created_from is None or query.created_from <= created_at) and (
        query.created_to is None or created_at < query.created_to
    )


def _matches(job: Job, query: ListJobs) -> bool:
    if any(job.metadata.get(key) != value for key, value in query.metadata.items()):
        return False
    return query.error is None or any(query.error in error.message for error in job.errors)


# ── bounds ──────────────────────────────────────────────────────────────────────────────────────


def _bounds(access: Access, query: ListJobs) -> _Bounds:
    """Turn the cursor and a span of time into a span of ids.

    An id tells when it was made, by a clock that is kept close to the server's: how far the two were
    apart at most is known, so the span is hardly wider than asked for.
    """
    bounds = _Bounds()
    if query.before is not None:
        bounds = bounds._replace(upper=query.before.encode())
    if query.created_from is None and query.created_to is None:
        return bounds
    found = access.link.call(b"HMGET", access.keys.drift, b"least", b"greatest")
    least, greatest = (int(float(n or b"0")) for n in cast("list[bytes | None]", found))
    if query.created_from is not None:
        bounds = bounds._replace(lower=_head((query.created_from - greatest) // 1_000))
    if query.created_to is not None:
        latest = _head((query.created_to - least) // 1_000 + 1)
        bounds = bounds._replace(upper=min(bounds.upper, latest))
    return bounds


def _head(millisecond: int) -> bytes:
    digits = f"{min(max(millisecond, 0), 16**12 - 1):012x}"
    return f"{digits[:8]}-{digits[8:]}".encode()


# ── merging ─────────────────────────────────────────────────────────────────────────────────────


class _Lists:
    """The lists of some queues, for some statuses."""

    def __init__(self, access: Access, names: Sequence[str], statuses: Sequence[Status]) -> None:
        self._access = access
        self._queues = [
            [access.keys.queue(name).lists[status] for status in statuses] for name in names
        ]

    def newest(self, bounds: _Bounds, count: int) -> list[bytes]:
        """Return the ``count`` newest members of all lists together.

        With many queues, first the newest of each decides which can have any of them. What moves
        from one status to another meanwhile stays in its queue, and all lists of a queue are read
        at the same moment: no job is missed.
        """
        queues = self._queues
        if len(queues) > 1:
            heads = [max(own, default=b"") for own in self._read(queues, bounds, 1)]
            best = sorted(range(len(queues)), key=heads.__getitem__, reverse=True)[:count]
            queues = [queues[place] for place in best if heads[place]]
        members = {member for own in self._read(queues, bounds, count) for member in own}
        return sorted(members, reverse=True)[:count]

    def _read(
        self, queues: Sequence[Sequence[bytes]], bounds: _Bounds, count: int
    ) -> Iterator[list[bytes]]:
        """Give the newest members of each queue."""
        if not queues:
            return
        step = max(1, _A_CALL // len(queues[0]))
        for at in range(0, len(queues), step):
            part = queues[at : at + step]
            keys = [key for own in part for key in own]
            arguments = [bounds.upper, bounds.lower, b"%d" % count, b"%d" % MOST_PRIORITIES]
            reply = self._access.look(scripting.MEMBERS, keys, arguments)
            texts = iter(cast("list[bytes]", reply))
            for own in part:
                found = [self._members(key, next(texts), bounds) for key in own]
                yield [member for members in found for member in members]

    def _members(self, key: bytes, text: bytes, bounds: _Bounds) -> list[bytes]:
        """Return the members of a list within the bounds, of which ``text`` has the newest."""
        if text == _TOO_MANY:
            members = self._all_of(key)
        else:
            members = [text[at : at + _MEMBER] for at in range(0, len(text), _MEMBER)]
        return [member for member in members if bounds.include(member)]

    def _all_of(self, key: bytes) -> list[bytes]:
        """Return all members of a list, bit by bit: it has too many priorities to search each."""
        members: list[bytes] = []
        cursor = b"0"
        while True:
            reply = self._access.link.call(b"ZSCAN", key, cursor, b"COUNT", b"%d" % _A_CALL)
            cursor, found = cast("tuple[bytes, list[bytes]]", reply)
            members += found[::2]
            if cursor == b"0":
                return members
