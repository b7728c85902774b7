"""Jobs that a test expects, found among those that there are, or told apart from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from actorq.core.job import Job

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SHOWN: Final = 10
"""How many of the jobs that do not fit are shown."""

_LONGEST: Final = 200


def find(jobs: Sequence[Job], wanted: Mapping[str, object]) -> Job:
    """Return the newest of ``jobs`` whose fields are as ``wanted``; raises ``AssertionError``.

    A field that is a map needs to have the wanted entries, and may have others.
    """
    unknown = wanted.keys() - set(Job.__struct_fields__)
    if unknown:
        raise TypeError(f"a job has no {', '.join(sorted(unknown))}")
    for job in reversed(jobs):
        if all(_fits(getattr(job, name), value) for name, value in wanted.items()):
            return job
    raise AssertionError(f"no job with {_line(wanted)} was enqueued; {describe(jobs, wanted)}")


def describe(jobs: Sequence[Job], names: Sequence[str] | Mapping[str, object] = ()) -> str:
    """Say which jobs there are: the newest of them, with what is asked of them."""
    if not jobs:
        return "there are no jobs"
    shown = {"task": None, "queue_name": None, "status": None, **dict.fromkeys(names)}
    lines = [_line({name: getattr(job, name) for name in shown}) for job in jobs[-_SHOWN:]]
    more = f"\n  and {len(jobs) - _SHOWN} older ones" if len(jobs) > _SHOWN else ""
    return "there are:\n" + "\n".join(f"  {line}" for line in reversed(lines)) + more


def _fits(value: object, wanted: object) -> bool:
    if isinstance(value, dict) and isinstance(wanted, dict):
        return bool(wanted.items() <= value.items())
    return value == wanted


def _line(fields: Mapping[str, object]) -> str:
    told = {name: value for name, value in fields.items() if value is not None}
    return ", ".join(f"{name}={_shown(value)}" for name, value in told.items()) or "any fields"


def _shown(value: object) -> str:
    text = repr(msgspec.to_builtins(value))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
