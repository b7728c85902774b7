"""Transactions: one for each verb, in as few round trips as its questions need."""

from __future__ import annotations

from contextlib import suppress
from random import uniform
from time import sleep
from typing import TYPE_CHECKING, Final, TypeVar

from actorq.backends.postgres.connection import Statement
from actorq.backends.postgres.faults import REPEAT, ServerError, unavailable
from actorq.errors import BackendUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.backends.postgres.connection import Connection, Result

T = TypeVar("T")

PATIENCE: Final = b"10s"
"""How long one statement may take, and how long the server waits for our next one."""

ATTEMPTS: Final = 25
"""How often a transaction is done again when others were in its way."""

PAUSE_S: Final = 0.02
"""Seconds that the later ones of these attempts wait first, at most."""

_BEGIN: Final = Statement(b"BEGIN")
_COMMIT: Final = Statement(b"COMMIT")
_ROLLBACK: Final = Statement(b"ROLLBACK")


class Transaction:
    """One transaction. Its first statements begin it, ``finish`` sends the last and commits."""

    def __init__(self, connection: Connection, enter: Statement) -> None:
        """Do nothing yet; ``enter`` is what a transaction begins with."""
        self._connection = connection
        self._enter = enter
        self._begun = False
        self._ended = False

    def ask(self, *statements: Statement) -> list[Result]:
        """Run statements in one round trip and return their results."""
        return self._exchange(statements, ())

    def finish(self, *statements: Statement) -> list[Result]:
        """Run the last statements and commit, in one round trip."""
        results = self._exchange(statements, (_COMMIT,))
        self._ended = True
        return results

    def leave(self) -> None:
        """Undo what was not finished."""
        if self._begun and not self._ended and not self._connection.closed:
            self._connection.exchange((_ROLLBACK,))

    def _exchange(
        self, statements: tuple[Statement, ...], last: tuple[Statement, ...]
    ) -> list[Result]:
        if self._begun:
            return self._connection.exchange((*statements, *last))[: len(statements)]
        self._begun = True
        results = self._connection.exchange((_BEGIN, self._enter, *statements, *last))
        return results[2 : 2 + len(statements)]


def perform(connection: Connection, enter: Statement, work: Callable[[Transaction], T]) -> T:
    """Do ``work`` in a transaction, as often as others are in its way, and return what it returns.

    ``enter`` is what each of them begins with. A work that does not finish its transaction has not
    written anything.
    """
    for attempt in range(1, ATTEMPTS + 1):
        transaction = Transaction(connection, enter)
        try:
            return work(transaction)
        except ServerError as error:
            if error.code not in REPEAT:
                raise _translated(error) from error
            if attempt == ATTEMPTS:
                raise BackendUnavailable(
                    f"PostgreSQL: others were in the way again and again: {error}"
                ) from error
        finally:
            with suppress(BackendUnavailable):
                transaction.leave()
        if attempt > 1:
            sleep(uniform(0.0, PAUSE_S))  # noqa: S311 - to get out of each other's way, not a secret
    raise AssertionError


def ask_once(connection: Connection, statement: Statement) -> Result:
    """Run one statement that changes nothing and waits for nobody, by itself."""
    try:
        (result,) = connection.exchange((statement,))
    except ServerError as error:
        raise _translated(error) from error
    return result


def _translated(error: ServerError) -> Exception:
    return unavailable(error) or error
