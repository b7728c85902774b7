"""Rules between settings, what is kept secret, and the store that they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq.settings import load
from actorq.settings.checks import is_loopback
from tests.settings.refused import refusal, toml

if TYPE_CHECKING:
    from pathlib import Path


def test_postgres_needs_its_address() -> None:
    """The one store without a sensible default says which setting is missing, and shows one."""
    message = refusal({}, {"BACKEND": "postgres"})
    assert message.startswith("POSTGRES_DSN")
    assert "needed with BACKEND=postgres" in message
    assert "postgres://user:password@host" in message


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "192.168.1.5", "jobs.example", "::ffff:10.0.0.1"],  # noqa: S104 - refused
)
def test_an_open_address_needs_a_word(host: str) -> None:
    """A server without authentication does not listen beyond loopback unless told to (row F7)."""
    message = refusal({}, {"HOST": host})
    assert "environment variable HOST" in message
    assert "ALLOW_UNAUTHENTICATED=true" in message
    assert load({}, {"HOST": host, "ALLOW_UNAUTHENTICATED": "true"}).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST"])
def test_loopback_needs_no_word(host: str) -> None:
    """Every name of this machine for itself is taken as it is."""
    assert is_loopback(host)
    assert load({"host": host}, {}).host == host


def test_uvicorn_runs_on_asyncio_only() -> None:
    """The two settings that exclude each other are both named, with a way out."""
    message = refusal({"event_loop": "trio"}, {"HTTP_SERVER": "uvicorn"})
    assert "EVENT_LOOP: 'trio' from flag --event-loop" in message
    assert "HTTP_SERVER=hypercorn" in message


def test_a_body_must_hold_a_payload() -> None:
    """A body limit under the payload's is refused, as no such job could ever arrive."""
    assert "MAX_PAYLOAD_BYTES, which is 1048576" in refusal({}, {"MAX_BODY_BYTES": "4096"})


SECRETS = {
    "REDIS_URL": "redis://u:hunter2@h",
    "POSTGRES_DSN": "postgres://u:hunter2@h/d",
    "POSTGRES_LISTEN_DSN": "host=h password=hunter2",
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_never_shown(name: str, tmp_path: Path) -> None:
    """A password is neither in an error message nor in the settings as text."""
    wrong = "ftp://u:hunter2@h\n"
    key = name.lower()
    for message in (
        refusal({}, {name: wrong}),
        refusal({key: wrong}, {}),
        refusal({}, toml(tmp_path, f"{key} = {wrong!r}".replace("'", '"'))),
    ):
        assert "hunter2" not in message
        assert message.startswith(f"{name}: the value (not shown)")
    settings = load({}, {name: SECRETS[name]})
    assert "hunter2" not in f"{settings!r} {settings}"
    assert f"{key}='***'" in repr(settings)


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("jobs.db", "sqlite:///jobs.db"),
        ("/var/jobs.db", "sqlite:////var/jobs.db"),
        ("a b?c#d%.db", "sqlite:///a%20b%3Fc%23d%25.db"),
    ],
)
def test_the_store_has_a_url(path: str, url: str) -> None:
    """The path of a SQLite file survives its way through the URL, whatever is in it."""
    assert load({"sqlite_path": path}, {}).place().url == url
    assert load({"backend": "memory"}, {}).place().url == "memory://"
