"""From the error that ended a program to its exit code."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, cast

from actorq.cli.stopping import CRASHED
from actorq.errors import ActorqError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

WRONG_SETTINGS: Final = 2

_log = logging.getLogger("actorq")


def explain(error: Exception, program: str, *, ready: bool) -> int:
    """Log why ``program`` ended: a line for what its operator can mend, else a traceback."""
    causes = list(_leaves(error))
    if ready or not all(isinstance(cause, ActorqError) for cause in causes):
        _log.critical("the %s crashed", program, exc_info=error)
        return CRASHED
    for cause in causes:
        _log.error("cannot start: %s", cause)
    is_wrong = any(isinstance(cause, ConfigurationError) for cause in causes)
    return WRONG_SETTINGS if is_wrong else CRASHED


def _leaves(error: Exception) -> Iterator[Exception]:
    if not isinstance(error, ExceptionGroup):
        yield error
        return
    for part in cast("ExceptionGroup[Exception]", error).exceptions:
        yield from _leaves(part)
