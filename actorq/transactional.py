"""Enqueue inside a transaction of your own: the job exists if, and only if, that transaction commits.

For the PostgreSQL store. ``enqueue`` takes a connection of psycopg or SQLAlchemy, ``enqueue_async`` one
of psycopg, asyncpg or SQLAlchemy that runs on an event loop. Both call the function ``enqueue`` of the
store's schema, which any other driver and language may call as well.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypedDict, cast

from actorq.core import intake
from actorq.core.instants import format_instant
from actorq.core.job import DEFAULT_BACKOFF, Backoff, Delivery, OnDuplicate
from actorq.core.policy import Policy
from actorq.core.results import Outcome
from actorq.errors import ConfigurationError, DuplicateJob, InvalidInput, QueueFull

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Literal, NoReturn, Unpack

    from actorq.core.job import NewJob

_NAMESPACE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}")
_POLICY: Final = Policy()
_HELD: Final = re.compile(r"job ([0-9a-f-]{36}) holds the dedupe key")
_FULL: Final = re.compile(r"queue \S+ is full: (\d+) jobs wait already")


class Accepted(NamedTuple):
    """What an enqueue came to, should the transaction commit: the job, and whether it is a new one."""

    job_id: str
    outcome: Outcome


class TransactionalOptions(TypedDict, total=False):
    """What may be said of a job besides its queue and payload: as ``EnqueueOptions``.

    There is no idempotency key: whether this request was made before is for your own tables to tell,
    in the same transaction, or for a dedupe key.
    """

    priority: int
    max_retries: int
    delivery: Delivery | Literal["at_least_once", "at_most_once"]
    delay: float | None
    available_at: int | None
    metadata: dict[str, str] | None
    task: str | None
    backoff: Backoff
    timeout: float | None
    expires_at: int | None
    dedupe_key: str | None
    dedupe_window: float
    on_duplicate: OnDuplicate | Literal["return", "reject", "replace"]


def enqueue(
    connection: object,
    queue_name: str,
    payload: str,
    *,
    namespace: str = "actorq",
    **options: Unpack[TransactionalOptions],
) -> Accepted:
    """Enqueue a job in the transaction of ``connection``.

    ``connection`` is a ``Connection`` or ``Cursor`` of psycopg, or a ``Connection`` or ``Session`` of
    SQLAlchemy with whatever driver; ``namespace`` is the store's. Raises ``InvalidInput`` before anything
    is sent; ``DuplicateJob`` (policy ``reject``) and ``QueueFull`` as PostgreSQL's refusals, after which
    the transaction must be rolled back; and the driver's own errors. Nothing is committed here.
    """
    call = _Call(namespace, queue_name, payload, options)
    driver = _driver_of(connection)
    try:
        if driver == "psycopg":
            row = _cursor(connection).execute(*call.for_psycopg()).fetchone()
        elif driver == "sqlalchemy":
            row = cast("Any", connection).execute(*call.for_sqlalchemy()).one()
        else:
            _refuse(connection)
    except Exception as error:
        call.explain(error)
        raise
    return _read(row)


async def enqueue_async(
    connection: object,
    queue_name: str,
    payload: str,
    *,
    namespace: str = "actorq",
    **options: Unpack[TransactionalOptions],
) -> Accepted:
    """Enqueue a job in the transaction of ``connection``, as ``enqueue`` does.

    ``connection`` is an ``AsyncConnection`` or ``AsyncCursor`` of psycopg, a ``Connection`` of asyncpg, or
    an ``AsyncConnection`` or ``AsyncSession`` of SQLAlchemy.
    """
    call = _Call(namespace, queue_name, payload, options)
    driver = _driver_of(connection)
    try:
        if driver == "psycopg":
            cursor = await _cursor(connection).execute(*call.for_psycopg())
            row = await cursor.fetchone()
        elif driver == "asyncpg":
            row = await cast("Any", connection).fetchrow(*call.for_asyncpg())
        elif driver == "sqlalchemy":
            row = (await cast("Any", connection).execute(*call.for_sqlalchemy())).one()
        else:
            _refuse(connection)
    except Exception as error:
        call.explain(error)
        raise
    return _read(row)


class _Call:
    """One call of the function, checked, for whatever driver.

    Every value travels as text, and PostgreSQL reads it: drivers differ in what they make of the rest.
    """

    def __init__(
        self, namespace: str, queue_name: str, payload: str, options: TransactionalOptions
    ) -> None:
        if _NAMESPACE.fullmatch(namespace) is None:
            raise ConfigurationError(f"namespace: {namespace!a} must match {_NAMESPACE.pattern}")
        self._new = intake.new_job("", queue_name, payload, _POLICY, **options)
        if "\0" in payload:
            raise InvalidInput(
                "/payload", "holds U+0000, which no text of PostgreSQL may: enqueue it at a queue"
            )
        self._function = f'"{namespace}".enqueue'
        self._arguments = _arguments(self._new)
        self._values = {name: value for name, (_, value) in self._arguments.items()}

    def for_psycopg(self) -> tuple[str, Mapping[str, str]]:
        """Return the statement and its values."""
        return self._sql(lambda name, _: f"%({name})s"), self._values

    def for_asyncpg(self) -> Sequence[str]:
        """Return the statement, and after it its values."""
        return self._sql(lambda _, number: f"${number}"), *self._values.values()

    def for_sqlalchemy(self) -> tuple[object, Mapping[str, str]]:
        """Return the statement and its values."""
        import sqlalchemy

        return sqlalchemy.text(self._sql(lambda name, _: f":{name}")), self._values

    def _sql(self, placeholder: Callable[[str, int], str]) -> str:
        named = ", ".join(
            f"{name} => CAST(CAST({placeholder(name, number)} AS text) AS {kind})"
            for number, (name, (kind, _)) in enumerate(self._arguments.items(), start=1)
        )
        # Every name and type is one of this file's, and the function's was checked.
        return f"SELECT CAST(job_id AS text), outcome FROM {self._function}({named})"  # noqa: S608 - see above

    def explain(self, error: Exception) -> None:
        """Raise what the function's own refusals mean; return if ``error`` is none of them."""
        code = _code_of(error)
        if code == "AQ409" and (held := _HELD.search(str(error))):
            raise DuplicateJob(held[1], self._new.dedupe_key or "") from error
        if code == "AQ429" and (full := _FULL.search(str(error))):
            raise QueueFull(self._new.queue_name, int(full[1])) from error


def _arguments(new: NewJob) -> dict[str, tuple[str, str]]:
    """Return the function's arguments: their types, and their values as text. Defaults are left out."""
    backoff = {"base": new.backoff.base, "factor": new.backoff.factor, "max": new.backoff.max}
    found: dict[str, tuple[str, object]] = {
        "queue_name": ("text", new.queue_name),
        "payload": ("text", new.payload),
        "priority": ("integer", new.priority or None),
        "max_retries": ("integer", new.max_retries),
        "delivery": ("text", new.delivery.value),
        "delay": ("double precision", new.delay),
        "available_at": ("timestamptz", _instant(new.available_at)),
        "metadata": ("jsonb", json.dumps(new.metadata) if new.metadata else None),
        "task": ("text", new.task),
        "backoff": ("jsonb", None if new.backoff == DEFAULT_BACKOFF else json.dumps(backoff)),
        "timeout": ("double precision", new.timeout),
        "expires_at": ("timestamptz", _instant(new.expires_at)),
        "dedupe_key": ("text", new.dedupe_key),
        "dedupe_window": ("double precision", new.dedupe_window or None),
        "on_duplicate": ("text", new.on_duplicate.value),
    }
    return {name: (kind, str(value)) for name, (kind, value) in found.items() if value is not None}


def _instant(instant: int | None) -> str | None:
    return None if instant is None else format_instant(instant)


def _driver_of(connection: object) -> str:
    """Return the package that a connection comes from, be it by a class of the program's own."""
    packages = {kind.__module__.partition(".")[0] for kind in type(connection).__mro__}
    found = packages & {"psycopg", "asyncpg", "sqlalchemy"}
    return found.pop() if found else ""


def _refuse(connection: object) -> NoReturn:
    raise TypeError(
        f"a connection of psycopg, asyncpg or SQLAlchemy is needed, not {type(connection).__name__}; "
        "with another driver call the schema's function enqueue in SQL"
    )


def _cursor(connection: object) -> Any:  # noqa: ANN401 - drivers are used as their users have them
    """Return a cursor whose rows are plain, whatever those of the connection are."""
    from psycopg.rows import tuple_row

    owner: Any = getattr(connection, "connection", connection)
    return owner.cursor(row_factory=tuple_row)


def _code_of(error: Exception) -> str | None:
    """Return PostgreSQL's code of an error, which SQLAlchemy wraps, and its dialect of asyncpg once more."""
    original = getattr(error, "orig", None)
    for cause in (error, original, getattr(original, "__cause__", None)):
        # What psycopg has no class for has its code in the diagnosis only.
        code: object = getattr(getattr(cause, "diag", cause), "sqlstate", None)
        if isinstance(code, str):
            return code
    return None


def _read(row: Any) -> Accepted:  # noqa: ANN401 - a row of any of the drivers
    return Accepted(str(row[0]), Outcome(row[1]))
