"""Errors as text: short, safe and useful, whatever the error is made of."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from actorq.sdk.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST: Final = 1_000
"""Characters of one error's own message; a job's record keeps 4 KiB of the whole."""

_MOST_CAUSES: Final = 3
_MOST_PARTS: Final = 5
_FRAMES: Final = 8
_OWN: Final = str(Path(__file__).parent)


def describe(error: BaseException) -> str:
    """Return an error's name and message, its causes, its parts, and where it was raised.

    Never raises, and never holds more than a few thousand characters.
    """
    lines = [_line(error), *_parts(error)]
    lines += [f"because of {_line(cause)}" for cause in _causes(error)]
    # Where the worker called the handler tells nobody anything.
    frames = [
        each
        for each in traceback.extract_tb(error.__traceback__)
        if not each.filename.startswith(_OWN)
    ][-_FRAMES:]
    lines += [f"  at {each.filename}:{each.lineno} in {each.name}" for each in reversed(frames)]
    return "\n".join(lines)


def verdict_of(error: BaseException) -> Verdict | None:
    """Return the verdict that a handler raised, also from inside a task group of its own."""
    while isinstance(error, BaseExceptionGroup):
        parts = cast("BaseExceptionGroup[BaseException]", error).exceptions
        if len(parts) != 1:
            return None
        error = parts[0]
    return error if isinstance(error, Verdict) else None


def _line(error: BaseException) -> str:
    name = type(error).__qualname__
    try:
        text = str(error)
    except Exception as trouble:  # noqa: BLE001 - whatever __str__ raises, there is something to record
        return f"{name} (its text cannot be had: {type(trouble).__qualname__})"
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]} … {len(text) - _LONGEST} more characters"
    return f"{name}: {text}" if text else name


def _parts(error: BaseException) -> Iterator[str]:
    if not isinstance(error, BaseExceptionGroup):
        return
    parts = cast("BaseExceptionGroup[BaseException]", error).exceptions
    for part in parts[:_MOST_PARTS]:
        yield f"- {_line(part)}"
    if len(parts) > _MOST_PARTS:
        yield f"- and {len(parts) - _MOST_PARTS} more"


def _causes(error: BaseException) -> Iterator[BaseException]:
    for _ in range(_MOST_CAUSES):
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is None:
            return
        yield cause
        error = cause
