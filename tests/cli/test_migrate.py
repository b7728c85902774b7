"""``actorq migrate``: it does what a starting server does, or prints it, and says how that went."""

from __future__ import annotations

import secrets
import sqlite3
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from actorq.backends.sqlite.schema import current_version
from actorq.cli.main import main
from actorq.stores import make_store
from tests.servers.postgres import shared_dsn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NEWEST = current_version()
TABLES = "SELECT type, name, sql FROM sqlite_schema ORDER BY name"
COLUMNS = """
    SELECT table_name, column_name, data_type FROM information_schema.columns
    WHERE table_schema = %s ORDER BY table_name, column_name
"""
ROUTINES = """
    SELECT routine_name FROM information_schema.routines WHERE routine_schema = %s ORDER BY 1
"""


class Database:
    """The tests' PostgreSQL server, with schemas whose names nobody has used."""

    def __init__(self) -> None:
        self.dsn = shared_dsn()
        self._connection = psycopg.connect(self.dsn, autocommit=True)
        self._names: list[str] = []

    def name(self) -> str:
        """Return a name for a schema; what it names is dropped in the end."""
        self._names.append(f"migrate-{secrets.token_hex(6)}")
        return self._names[-1]

    def flags(self, namespace: str) -> list[str]:
        """Return the command line's words for a schema."""
        return ["--backend", "postgres", "--postgres-dsn", self.dsn, "--namespace", namespace]

    def run(self, script: str) -> None:
        """Run what was printed, as a database's own client does."""
        self._connection.execute(script.encode())

    def shape(self, namespace: str) -> list[list[tuple[object, ...]]]:
        """Return what a schema has in it."""
        return [self._connection.execute(q, [namespace]).fetchall() for q in (COLUMNS, ROUTINES)]

    def close(self) -> None:
        """Leave nothing behind."""
        for name in self._names:
            drop = sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE")
            self._connection.execute(drop.format(sql.Identifier(name)))
        self._connection.close()


@pytest.fixture
def database() -> Iterator[Database]:
    """Give the server."""
    database = Database()
    yield database
    database.close()


def printed(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that must succeed; return what it printed."""
    assert main(arguments) == 0
    return capsys.readouterr().out


@pytest.mark.store("sqlite")
def test_a_file_is_brought_up_to_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The schema of a SQLite file is made, and a second run finds it made."""
    path = tmp_path / "jobs.db"
    flags = ["migrate", "--sqlite-path", str(path)]
    for _ in range(2):
        assert printed(flags, capsys) == f"sqlite ({path}) is at version {NEWEST} of the schema\n"
    assert make_store(f"sqlite:///{path}").open().warnings == ()


@pytest.mark.store("sqlite")
def test_the_sql_of_a_file_can_be_run_by_hand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is printed for SQLite makes the very tables that a server makes, and touches no file."""
    by_server, by_hand = tmp_path / "server.db", tmp_path / "hand.db"
    make_store(f"sqlite:///{by_server}").open()
    script = printed(["migrate", "--print", "--sqlite-path", str(by_hand)], capsys)
    assert not by_hand.exists()
    found: list[list[object]] = []
    for path, run in ((by_server, ""), (by_hand, script)):
        connection = sqlite3.connect(path)
        connection.executescript(run)
        found.append(connection.execute(TABLES).fetchall())
        connection.close()
    assert found[0] == found[1]
    make_store(f"sqlite:///{by_hand}").open()


@pytest.mark.store("postgres")
def test_a_database_is_brought_up_to_date(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """The schema in PostgreSQL is made, and a second run finds it made."""
    flags = ["migrate", *database.flags(database.name())]
    first, again = printed(flags, capsys), printed(flags, capsys)
    assert first == again
    assert first.startswith("postgres is at version ")


@pytest.mark.store("postgres")
def test_the_sql_of_a_database_can_be_run_by_hand(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is printed for PostgreSQL makes the very schema that a server makes, which then accepts it."""
    by_server, by_hand = database.name(), database.name()
    printed(["migrate", *database.flags(by_server)], capsys)
    script = printed(["migrate", "--print", *database.flags(by_hand)], capsys)
    assert database.shape(by_hand) == [[], []]
    database.run(script)
    assert database.shape(by_hand) == database.shape(by_server)
    printed(["migrate", *database.flags(by_hand)], capsys)


@pytest.mark.store("postgres")
def test_only_what_follows_a_version_is_printed(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """A database that has the first migrations is shown the others only."""
    words = ["migrate", "--print", *database.flags(database.name())]
    whole = printed(words, capsys)
    rest = printed([*words, "--after", "1"], capsys)
    first, second = whole.split("(version) VALUES (1);")
    assert "CREATE TABLE" in first
    assert rest.endswith(second.lstrip())
    assert "(version) VALUES (1);" not in rest


@pytest.mark.parametrize("store", ["memory", "redis"])
def test_a_store_without_migrations_says_so(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Stores without a schema need nothing, reach nothing, and print nothing that would be run."""
    assert printed(["migrate", "--backend", store], capsys) == f"{store} needs no migrations\n"
    assert printed(["migrate", "--print", "--backend", store], capsys) == ""


def test_a_database_that_is_away_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A store that cannot be reached ends with exit code 1 and one event, as it does for a server."""
    dsn = "postgres://u:hunter2@127.0.0.1:1/d"
    assert main(["migrate", "--backend", "postgres", "--postgres-dsn", dsn]) == 1
    seen = capsys.readouterr()
    assert "cannot migrate" in seen.err
    assert "hunter2" not in seen.err
    assert (seen.err.count("\n"), seen.out) == (1, "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--backend", "postgres"], "POSTGRES_DSN"),
        (["--after", "0"], "--after: goes with --print only"),
        (["--print", "--after", "99"], f"--after: must be a version from 0 to {NEWEST}"),
        (["--print", "--after", "-1"], f"--after: must be a version from 0 to {NEWEST}"),
    ],
)
def test_wrong_settings_are_told(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Settings that are wrong or go badly together end with exit code 2 and name themselves."""
    assert main(["migrate", *arguments]) == 2
    seen = capsys.readouterr()
    assert words in seen.err
    assert seen.out == ""


def test_the_database_of_another_program_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is somebody else's is refused with exit code 2, as a server refuses it."""
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    assert main(["migrate", "--sqlite-path", str(path)]) == 2
    assert "another program" in capsys.readouterr().err
