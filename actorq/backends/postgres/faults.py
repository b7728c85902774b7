"""What PostgreSQL's errors mean: which are passing, which are to be repeated, which are ours."""

from __future__ import annotations

from typing import Final

from actorq.errors import BackendUnavailable

_PASSING: Final = {
    "08": "the connection was lost",
    "53": "it has run out of something",
    "57": "it was interrupted",
    "58": "its disk does not work",
    "25006": "it takes no writes: is it a standby?",
    "53100": "its disk is full",
    "53200": "it has no memory left",
    "53300": "it has too many connections",
    "55P03": "a lock was held by another program for too long",
    "57014": "it did not answer in time",
    "57P01": "it is shutting down",
    "57P02": "it has crashed",
    "57P03": "it is starting up",
}
"""By the whole code, else by its class: PostgreSQL, appendix A."""

_FOR_GOOD: Final = (
    "does not exist",
    "authentication failed",
    "no pg_hba.conf entry",
    "not permitted to",
)
"""How the reasons sound, in English, that waiting will not cure: of a refused connection libpq tells no
code. What is not recognised is merely tried again."""

REPEAT: Final = frozenset({"40001", "40P01", "23505", "AQ001"})
"""Another transaction was in the way: the same one again finds things as they are by then.

``23505`` and ``AQ001``: an id or a key that was free a moment ago is taken by now.
"""


class ServerError(Exception):
    """PostgreSQL refused a statement; ``code`` says why."""

    def __init__(self, code: str, message: str) -> None:
        """Keep both."""
        super().__init__(f"{message} ({code})")
        self.code = code


def meaning(code: str) -> str | None:
    """Say in words what a passing error means; None: it is not one."""
    return _PASSING.get(code) or _PASSING.get(code[:2])


def is_for_good(reason: str) -> bool:
    """Tell whether a connection was refused for a reason that waiting will not cure."""
    return any(words in reason for words in _FOR_GOOD)


def unavailable(error: ServerError) -> BackendUnavailable | None:
    """Return what a caller is told of a passing error; None: the error is a bug and must be seen."""
    words = meaning(error.code)
    return None if words is None else BackendUnavailable(f"PostgreSQL: {words}: {error}")
