"""Access to the shards: what every verb needs to read and to write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import msgspec

from actorq.backends.redis import scripting
from actorq.backends.redis.records import Record, StoredBody, StoredState, assemble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from actorq.backends.redis.keys import Keys
    from actorq.backends.redis.link import Wait, Wire
    from actorq.backends.redis.news import Herald
    from actorq.backends.redis.outbox import Outbox
    from actorq.backends.redis.recent import Recent
    from actorq.backends.redis.scripting import Script
    from actorq.backends.redis.writes import Writes
    from actorq.core.policy import Policy

MOST_BYTES: Final = 4 * 1_048_576
"""How much one answer carries of records, about: a full claim of the largest jobs comes in parts."""

MAX_AGE_US: Final = 10_000_000
"""How old a decision may be when it is written; an older one is made again, by the time that it is."""


class Row(msgspec.Struct, array_like=True, frozen=True):
    """One record of an answer."""

    id: str
    body: StoredBody | None
    state: StoredState | None


class _Rows(msgspec.Struct, array_like=True, frozen=True):
    now: int
    rows: list[Row]


_rows: Final = msgspec.msgpack.Decoder(_Rows)


class Access:
    """A connection with what belongs to it: keys, policy, and how the clock is read."""

    def __init__(  # noqa: PLR0913 - one argument for each thing that belongs to it
        self,
        link: Wire,
        keys: Keys,
        policy: Policy,
        *,
        herald: Herald,
        recent: Recent,
        outbox: Outbox,
        wait: Wait | None,
        shift: Callable[[], int],
    ) -> None:
        """Work through ``link``. ``shift`` moves the server's clock, in tests only."""
        self.link = link
        self.keys = keys
        self.policy = policy
        self.herald = herald
        self.recent = recent
        self.outbox = outbox
        self._wait = wait
        self._shift = shift

    def look(self, script: Script, keys: Sequence[bytes], arguments: Iterable[bytes]) -> bytes:
        """Run a script that changes nothing."""
        return cast("bytes", self.link.run(script, keys, [self._shifted(), *arguments]))

    def write(
        self, script: Script, keys: Sequence[bytes], arguments: Iterable[bytes]
    ) -> bytes | int:
        """Run a script that writes, and see to it that enough replicas have what it wrote."""
        reply = self.link.run(script, keys, [self._shifted(), *arguments], self._wait)
        return cast("bytes | int", reply)

    def read(self, ids: Iterable[str]) -> tuple[int, dict[str, Record]]:
        """Return the instant and the records of those ids that name a job."""
        wanted = [job_id.encode() for job_id in dict.fromkeys(ids)]
        records: dict[str, Record] = {}
        now = None
        while wanted or now is None:
            answer = _rows.decode(
                self.look(
                    scripting.READ,
                    [self.keys.body, self.keys.state],
                    [b"%d" % MOST_BYTES, *wanted],
                )
            )
            # The first instant is the one by which things are decided: no record is older.
            now = answer.now if now is None else now
            records.update(records_of(answer.rows))
            wanted = wanted[len(answer.rows) :]
        return now, records

    def holders(self, fields: Sequence[bytes]) -> dict[bytes, str]:
        """Return the live jobs that hold the dedupe keys of ``fields``, where there is one."""
        if not fields:
            return {}
        found = cast("list[bytes | None]", self.link.call(b"HMGET", self.keys.holders, *fields))
        pairs = zip(fields, found, strict=True)
        return {field: job_id.decode() for field, job_id in pairs if job_id is not None}

    def commit(self, writes: Writes) -> bool:
        """Write what was decided, unless something has changed since; tell whether it was written."""
        keys, arguments = writes.call(self.herald, MAX_AGE_US)
        if self.write(scripting.WRITE, keys, arguments) != 1:
            return False
        if writes.notes:
            self.outbox.put(self, writes.notes, writes.decided_at)
        return True

    def _shifted(self) -> bytes:
        return b"%d" % self._shift()


def records_of(rows: Iterable[Row]) -> dict[str, Record]:
    """Return the records of those rows that have one."""
    return {row.id: assemble(row.id, row.body, row.state) for row in rows if row.body is not None}
