"""Stores by their URL: the only module, beside the runtime, that knows which there are."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote, urlsplit

from actorq.clock import wall_clock
from actorq.core.place import Place
from actorq.core.policy import Policy
from actorq.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.backends.backend import Store

SCHEMES = "memory://, sqlite:///jobs.db, postgres://user@host/database or redis://host:6379"

_GROUPS: Final = frozenset(
    f"{scheme}+{group}" for scheme in ("redis", "rediss") for group in ("cluster", "sentinel")
)
_KEYWORDS: Final = re.compile(r"\s*[a-z_]+\s*=")
"""How PostgreSQL's own form of an address begins."""


class Schema(NamedTuple):
    """The tables of a store: the newest version that is known here, and how to get there.

    ``script`` returns what opening the store does to one that is at a version, as SQL.
    """

    version: int
    script: Callable[[int], str]


def make_store(
    place: Place | str, policy: Policy | None = None, clock: Callable[[], int] = wall_clock
) -> Store:
    """Make the store that is at ``place`` (or at this URL); nothing is opened yet.

    ``memory://``, ``sqlite:///relative.db``, ``sqlite:////absolute.db`` (what has a meaning in a URL is
    written as such: ``%3F`` for a question mark), ``postgres://…`` and ``postgresql://…`` (or the
    driver's ``host=… dbname=…``), ``redis://…``, ``rediss://…`` and ``unix://…``; for Redis also
    ``redis+cluster://…`` and ``redis+sentinel://…``, with ``rediss`` likewise. ``clock`` is that of a
    memory or SQLite store; the others have their own. Raises ``ConfigurationError`` for anything else,
    and for a missing extra.
    """
    if isinstance(place, str):
        place = Place(url=place)
    bounds = policy or Policy()
    match _scheme(place.url):
        case "memory":
            return _memory(place, bounds, clock)
        case "sqlite":
            return _sqlite(place, bounds, clock)
        case "postgres" | "postgresql":
            return _postgres(place, bounds)
        case "redis" | "rediss" | "unix":
            return _redis(place, bounds)
        case scheme:
            raise ConfigurationError(f"no store is known by the scheme {scheme!r}: use {SCHEMES}")


def schema_of(place: Place) -> Schema | None:
    """Return the schema of the store at ``place``; None for one without migrations.

    Raises ``ConfigurationError`` as ``make_store`` does.
    """
    match _scheme(place.url):
        case "sqlite":
            from actorq.backends.sqlite import schema as files

            return Schema(files.current_version(), files.script)
        case "postgres" | "postgresql":
            try:
                from actorq.backends.postgres import schema
            except ImportError as error:
                raise _missing("postgres", error) from error
            return Schema(schema.current_version(), partial(schema.script, place.namespace))
        case _:
            return None


def _scheme(url: str) -> str:
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        # The URL itself is not shown: it may hold a password.
        raise ConfigurationError(f"this is not the URL of a store: use {SCHEMES}") from None
    if scheme in _GROUPS:
        return "redis"
    if not scheme and _KEYWORDS.match(url):
        return "postgres"
    return scheme


def _memory(place: Place, policy: Policy, clock: Callable[[], int]) -> Store:
    from actorq.backends.memory import MemoryStore

    if place.url != "memory://":
        raise ConfigurationError("the memory store has no name: use memory://")
    return MemoryStore(policy, clock)


def _sqlite(place: Place, policy: Policy, clock: Callable[[], int]) -> Store:
    from actorq.backends.sqlite import SqliteStore

    parts = urlsplit(place.url)
    if parts.query or parts.fragment:
        raise ConfigurationError(
            f"a SQLite URL has neither a query nor a fragment (write %3F and %23): {place.url!r}"
        )
    path = unquote(place.url.removeprefix("sqlite:///"))
    if not place.url.startswith("sqlite:///") or not path:
        raise ConfigurationError(
            "a SQLite URL has three slashes before a relative path and four before an "
            "absolute one: sqlite:///jobs.db"
        )
    return SqliteStore(path, policy, clock)


def _postgres(place: Place, policy: Policy) -> Store:
    try:
        from actorq.backends.postgres import PostgresStore
    except ImportError as error:
        raise _missing("postgres", error) from error
    return PostgresStore(
        place.url,
        place.namespace,
        policy,
        listen_dsn=place.listen_dsn,
        durability=place.durability,
    )


def _redis(place: Place, policy: Policy) -> Store:
    try:
        from actorq.backends.redis import RedisStore, Wait
    except ImportError as error:
        raise _missing("redis", error) from error
    wait = Wait(place.wait_replicas, round(place.wait_timeout * 1_000))
    return RedisStore(
        place.url,
        place.namespace,
        policy,
        durability=place.durability,
        wait=wait if place.wait_replicas else None,
    )


def _missing(extra: str, error: ImportError) -> ConfigurationError:
    return ConfigurationError(
        f'the {extra} store needs an extra: pip install "actorq[{extra}]" ({error})'
    )
