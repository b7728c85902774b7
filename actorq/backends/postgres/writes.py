"""What a transaction writes: the statements for jobs that came, changed, moved or went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq.backends.postgres.arrays import byteas, float8s, int4, int4s, int8, int8s, texts, uuids
from actorq.backends.postgres.records import CODES, encode_rest, rest_changed
from actorq.core.job import FORMAT
from actorq.core.transitions import ENDED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from actorq.backends.postgres.connection import Statement
    from actorq.backends.postgres.records import Entry
    from actorq.backends.postgres.statements import Statements
    from actorq.backends.postgres.work import Work
    from actorq.core.job import Job

ACCEPTED, PRUNED, FIRST_STATUS = 0, 1, 2
FIGURES: Final = FIRST_STATUS + len(CODES)
"""How many figures a move has, in the order of its table."""

CHUNK_BYTES: Final = 16 * 1024 * 1024
"""Bytes of payload in one statement, beyond one job: a parameter may not be as large as a gigabyte."""


def statements(work: Work, changed: Sequence[Entry], removed: Sequence[Entry]) -> list[Statement]:
    """Return the statements that write these jobs, each as what became of it."""
    new = [entry for entry in changed if entry.was is None]
    stillborn = [entry for entry in new if entry.job.status in ENDED]
    if stillborn:
        new = [entry for entry in new if entry.job.status not in ENDED]
    known = [entry for entry in changed if entry.was is not None]
    going = [entry for entry in known if _ended(entry.job) and not _ended(entry.was)]
    coming = [entry for entry in known if _ended(entry.was) and not _ended(entry.job)]
    staying = [entry for entry in known if not _ended(entry.job) and not _ended(entry.was)]
    # A new job has its first version; what a later item of the same batch made of it comes after.
    staying += [entry for entry in new if entry.job.version > 1]
    # First, for such a job holds its dedupe key against nobody.
    found = [statement for part in _apart(stillborn) for statement in _add_ended(work, part)]
    found += [_add(work, part) for part in _chunks(new)]
    found += [_change(work.statements, part) for part in _chunks(staying)]
    if going:
        found.append(_end(work.statements, going))
    if coming:
        found.append(_revive(work.statements, coming))
    for table, gone in (
        ("jobs.delete", [entry for entry in removed if not _ended(entry.was)]),
        ("jobs.delete_ended", [entry for entry in removed if _ended(entry.was)]),
    ):
        if gone:
            found.append(work.statements(table, uuids([entry.job.id for entry in gone])))
    return found


def moves(statements: Statements, counted: dict[int, list[int]]) -> Statement:
    """Return the statement that adds these moves, by queue."""
    columns = zip(*counted.values(), strict=True)
    return statements("jobs.move", int4s(list(counted)), *(int4s(column) for column in columns))


def _add(work: Work, entries: Sequence[Entry]) -> Statement:
    keyed = any(entry.job.dedupe_key is not None for entry in entries)
    if keyed:
        # Two batches that want the same keys then wait for each other in turn.
        entries = sorted(entries, key=_place)
    jobs = [entry.job for entry in entries]
    return work.statements(
        "jobs.add",
        uuids([job.id for job in jobs]),
        int4s([entry.queue for entry in entries]),
        int4s([CODES[job.status] for job in jobs]),
        int4s([job.priority for job in jobs]),
        int8s([job.available_at for job in jobs]),
        int8s([job.expires_at for job in jobs]),
        texts([job.dedupe_key for job in jobs]),
        int8s([job.dedupe_until for job in jobs]),
        byteas([job.payload.encode() for job in jobs]),
        texts([encode_rest(job) for job in jobs]),
        b"\x01" if keyed else b"\x00",
        int8(work.now),
        int4(FORMAT),
    )


def _add_ended(work: Work, entries: Sequence[Entry]) -> list[Statement]:
    """Write jobs that have ended with the step that makes them, as those do whose parents failed.

    Like any other they live first, so that an id is taken once and no more.
    """
    return [*(_add(work, part) for part in _chunks(entries)), _end(work.statements, entries)]


def _apart(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    """Divide jobs so that no two together can have the same dedupe key."""
    plain = [entry for entry in entries if entry.job.dedupe_key is None]
    if plain:
        yield plain
    yield from ([entry] for entry in entries if entry.job.dedupe_key is not None)


def _change(statements: Statements, found: Sequence[Entry]) -> Statement:
    entries = _ordered(found)
    jobs = [entry.job for entry in entries]
    leases = [job.lease for job in jobs]
    return statements(
        "jobs.change",
        uuids([job.id for job in jobs]),
        int4s([_version(entry) for entry in entries]),
        int4s([CODES[job.status] for job in jobs]),
        int4s([job.priority for job in jobs]),
        int8s([job.available_at for job in jobs]),
        int8s([job.updated_at for job in jobs]),
        int4s([job.attempt for job in jobs]),
        int4s([job.version for job in jobs]),
        texts([None if lease is None else lease.token for lease in leases]),
        texts([None if lease is None else lease.worker_id for lease in leases]),
        int8s([None if lease is None else lease.claimed_at for lease in leases]),
        int8s([None if lease is None else lease.expires_at for lease in leases]),
        float8s([None if lease is None else lease.visibility_timeout for lease in leases]),
        texts([job.settled_token for job in jobs]),
        texts([job.settled_by for job in jobs]),
        byteas([_new_payload(entry) for entry in entries]),
        texts([_new_rest(entry) for entry in entries]),
    )


def _end(statements: Statements, found: Sequence[Entry]) -> Statement:
    entries = _ordered(found)
    jobs = [entry.job for entry in entries]
    return statements(
        "jobs.end",
        uuids([job.id for job in jobs]),
        int4s([_version(entry) for entry in entries]),
        int4s([CODES[job.status] for job in jobs]),
        int8s([job.completed_at for job in jobs]),
        int4s([job.version for job in jobs]),
        texts([job.settled_token for job in jobs]),
        texts([job.settled_by for job in jobs]),
        texts([job.result for job in jobs]),
        texts([_new_rest(entry) for entry in entries]),
    )


def _revive(statements: Statements, entries: Sequence[Entry]) -> Statement:
    jobs = [entry.job for entry in entries]
    return statements(
        "jobs.revive",
        uuids([job.id for job in jobs]),
        int8s([job.available_at for job in jobs]),
        int8s([job.expires_at for job in jobs]),
        int4s([job.version for job in jobs]),
        texts([encode_rest(entry.job, entry.unknown) for entry in entries]),
    )


def _ordered(entries: Sequence[Entry]) -> list[Entry]:
    # What was not locked before is locked by the write: in the same order by everybody.
    return sorted(entries, key=lambda entry: entry.job.id)


def _version(entry: Entry) -> int:
    """Return the version that the row has: the first one, if it is new."""
    return 1 if entry.was is None else entry.was.version


def _new_payload(entry: Entry) -> bytes | None:
    if entry.was is None or entry.job.payload is entry.was.payload:
        return None
    return entry.job.payload.encode()


def _new_rest(entry: Entry) -> str | None:
    if entry.was is None or not rest_changed(entry.was, entry.job):
        return None
    return encode_rest(entry.job, entry.unknown)


def _ended(job: Job | None) -> bool:
    return job is not None and job.status in ENDED


def _place(entry: Entry) -> tuple[int, str, str]:
    return entry.queue, entry.job.dedupe_key or "", entry.job.id


def _chunks(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    part: list[Entry] = []
    size = 0
    for entry in entries:
        size += len(entry.job.payload)
        if part and size > CHUNK_BYTES:
            yield part
            part, size = [], len(entry.job.payload)
        part.append(entry)
    if part:
        yield part
