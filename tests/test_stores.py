"""Where a store is: URLs and settings become stores, or one clear refusal."""

from __future__ import annotations

import sys

import pytest

from actorq.backends.memory import MemoryStore
from actorq.backends.postgres import PostgresStore
from actorq.backends.redis import RedisStore
from actorq.backends.sqlite import SqliteStore
from actorq.core.place import Place
from actorq.errors import ConfigurationError
from actorq.settings import load
from actorq.stores import make_store

PASSWORD = "hunter2"  # noqa: S105 - it is looked for in what must not show it


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("memory://", MemoryStore),
        ("sqlite:///jobs.db", SqliteStore),
        ("sqlite:////var/lib/a%3Fb.db", SqliteStore),
        ("postgres://u:p@localhost:5432/d?sslmode=disable", PostgresStore),
        ("postgresql://localhost/d", PostgresStore),
        ("host=localhost dbname=d", PostgresStore),
        ("redis://localhost:6379/3", RedisStore),
        ("rediss://u:p@localhost", RedisStore),
        ("unix:///run/redis.sock", RedisStore),
        ("redis+cluster://one:7000,two:7000", RedisStore),
        ("rediss+cluster://u:p@one:7000", RedisStore),
        ("redis+sentinel://one:26379,two/jobs", RedisStore),
        ("rediss+sentinel://one/jobs/3", RedisStore),
    ],
)
def test_each_store_has_its_scheme(url: str, kind: type) -> None:
    """A URL finds its store by its scheme; nothing is opened yet."""
    assert isinstance(make_store(url), kind)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://h/d", "no store is known by the scheme 'mysql'"),
        ("jobs.db", "no store is known by the scheme ''"),
        ("memory+cluster://", "no store is known by the scheme 'memory\\+cluster'"),
        ("http://[", "not the URL of a store"),
        ("memory://x", "the memory store has no name"),
        ("sqlite://jobs.db", "three slashes"),
        ("sqlite:///", "three slashes"),
        ("sqlite:///a.db?mode=ro", "neither a query nor a fragment"),
    ],
)
def test_a_url_of_no_store_says_what_would_be_one(url: str, words: str) -> None:
    """What is no store's URL is refused in words that show the right form."""
    with pytest.raises(ConfigurationError, match=words.replace("[", r"\[")):
        make_store(url)


@pytest.mark.parametrize(
    ("url", "extra", "driver"),
    [
        ("postgres://localhost/d", "postgres", "psycopg"),
        ("redis://localhost", "redis", "redis"),
    ],
)
def test_a_missing_extra_is_named(
    url: str, extra: str, driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a store's driver is not installed, the error says what to install."""
    for name in list(sys.modules):
        if name.split(".")[0] == driver or name.startswith(f"actorq.backends.{extra}"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, driver, None)
    with pytest.raises(ConfigurationError, match=rf'pip install "actorq\[{extra}\]"'):
        make_store(url)


def test_settings_name_a_place() -> None:
    """Every setting of a store reaches it, under the names of the specification."""
    place = load(
        {},
        {
            "BACKEND": "postgres",
            "POSTGRES_DSN": "postgres://u@h/d",
            "POSTGRES_LISTEN_DSN": "postgres://u@direct/d",
            "NAMESPACE": "shop",
            "DURABILITY": "strict",
            "REDIS_WAIT_REPLICAS": "2",
            "REDIS_WAIT_TIMEOUT": "0.25",
        },
    ).place()
    assert place == Place(
        url="postgres://u@h/d",
        listen_dsn="postgres://u@direct/d",
        namespace="shop",
        durability="strict",
        wait_replicas=2,
        wait_timeout=0.25,
    )


def test_a_place_does_not_show_its_password() -> None:
    """A place in a traceback tells the kind of store and nothing that is secret."""
    assert PASSWORD not in repr(Place(url=f"redis://u:{PASSWORD}@h"))
