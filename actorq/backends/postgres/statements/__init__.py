"""The SQL of the store, one file per noun; each statement has a name in its file.

A namespace is a schema: its name stands in for ``{schema}``, and within a text for ``{channel}``.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from actorq.backends.postgres.connection import Statement

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME: Final = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_FILES: Final = (
    "jobs", "claims", "families", "listing", "queues", "replays", "retention", "schedules", "sweeps"
)  # fmt: skip


_LIVE: Final = """
    jobs.id::text, jobs.queue, jobs.status, jobs.priority, jobs.available_at, jobs.created_at,
    jobs.updated_at, jobs.expires_at, jobs.attempt, jobs.version, jobs.format, jobs.dedupe_key,
    jobs.dedupe_until, jobs.settled_token, jobs.settled_by, jobs.token, jobs.worker_id,
    jobs.claimed_at, jobs.leased_until, jobs.visibility_timeout,
    NULL::bigint AS completed_at, NULL::text AS result, coalesce(
        jobs.payload, (SELECT large.payload FROM {schema}.bodies AS large WHERE large.id = jobs.id)
    ), jobs.rest::text AS rest
"""
"""What ``records`` reads of a live job, in the order in which it reads."""

_ENDED: Final = """
    ended.id::text, ended.queue, ended.status, ended.priority, ended.available_at, ended.created_at,
    ended.updated_at, ended.expires_at, ended.attempt, ended.version, ended.format, ended.dedupe_key,
    ended.dedupe_until, ended.settled_token, ended.settled_by, NULL::text, NULL::text,
    NULL::bigint, NULL::bigint, NULL::float8,
    ended.completed_at, ended.result, coalesce(
        ended.payload, (SELECT large.payload FROM {schema}.bodies AS large WHERE large.id = ended.id)
    ), ended.rest::text
"""
"""The same of an ended job."""


class Statements:
    """All statements, for one schema."""

    def __init__(self, schema: str) -> None:
        """Put the schema's name in."""
        self._sql = {name: fill(sql, schema).encode() for name, sql in _statements().items()}

    def __call__(self, name: str, *values: bytes | None) -> Statement:
        """Return a statement with its parameters, in PostgreSQL's binary format."""
        return Statement(self._sql[name], values)


def fill(sql: str, schema: str) -> str:
    """Put the name of a schema in, which has no character that would end a name or a text."""
    return sql.replace("{schema}", f'"{schema}"').replace("{channel}", schema)


@cache
def _statements() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for file in _FILES:
        text = files(__package__ or __name__).joinpath(f"{file}.sql").read_text(encoding="utf-8")
        _, *parts = _NAME.split(text)
        for name, sql in zip(parts[::2], parts[1::2], strict=True):
            whole = sql.strip().replace("{live}", _LIVE).replace("{ended}", _ENDED)
            found[f"{file}.{name}"] = whole
    return found
