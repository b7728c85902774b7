"""Likeness: when an answer of a store is as good as the one that was worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec
from msgspec import structs

from actorq.core.job import Job
from actorq.errors import ActorqError
from actorq.testing.conformance.answers import public

if TYPE_CHECKING:
    from collections.abc import Sequence


def like(expected: object, actual: object) -> bool:
    """Tell whether ``actual`` says what ``expected`` says.

    Records are compared as everybody may see them, and JSON text by its value, for a store may
    keep it in another spelling. A refusal is alike when it is of the same class and names the
    same things; its wording is free.
    """
    if isinstance(expected, Job) and isinstance(actual, Job):
        return _canonical(expected) == _canonical(actual)
    if isinstance(expected, ActorqError):
        return type(actual) is type(expected) and vars(actual) == vars(expected)
    if isinstance(expected, tuple | list) and isinstance(actual, tuple | list):
        return _all_like(cast("Sequence[object]", expected), cast("Sequence[object]", actual))
    if isinstance(expected, msgspec.Struct) and type(actual) is type(expected):
        return _all_like(structs.astuple(expected), structs.astuple(actual))
    return expected == actual


def _all_like(expected: Sequence[object], actual: Sequence[object]) -> bool:
    if len(expected) != len(actual):
        return False
    return all(like(one, other) for one, other in zip(expected, actual, strict=True))


def _canonical(job: Job) -> Job:
    return structs.replace(
        public(job), result=_respelt(job.result), progress=_respelt(job.progress)
    )


def _respelt(text: str | None) -> str | None:
    if text is None:
        return None
    return msgspec.json.encode(msgspec.json.decode(text), order="deterministic").decode()
