"""The file of the SQLite store: whose it is, which version it has, and what is refused untouched."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import pytest

from actorq.backends.sqlite import SqliteStore, schema
from actorq.backends.sqlite.place import file_system_warning
from actorq.clock import wall_clock
from actorq.core.job import NewJob
from actorq.core.policy import Policy
from actorq.errors import BackendUnavailable, ConfigurationError
from actorq.testing.conformance import tasks
from actorq.testing.conformance.crew import Crew

if TYPE_CHECKING:
    from collections.abc import Generator

NOBODY: Final = 65_534
RACERS: Final = 5
JOB: Final = NewJob(id="019b76da-a800-7000-8000-000000000001", queue_name="q", payload="p")

MOUNTS: Final = r"""
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:21 / /dev/shm rw,nosuid shared:2 - tmpfs tmpfs rw
24 22 0:50 / /srv/nfs\040share rw shared:3 master:1 - nfs4 server:/x rw
25 24 254:1 / /srv/nfs\040share/disk rw - xfs /dev/vdb rw
26 22 0:51 / /mnt/far rw - fuse.sshfs me@far: rw
"""


def store_at(path: Path) -> SqliteStore:
    return SqliteStore(str(path), Policy(), wall_clock)


def refused(path: Path | str) -> str:
    """Return the sentence with which a path is refused for good."""
    with pytest.raises(ConfigurationError) as caught:
        SqliteStore(str(path), Policy(), wall_clock).open()
    return str(caught.value)


def ask(path: Path, pragma: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(pragma).fetchone()[0]


@contextmanager
def as_nobody() -> Generator[None]:
    """Give up what only root may do, for a while; whoever is not root has nothing to give up."""
    own = os.geteuid()
    if own == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(own)


class TestOpening:
    def test_five_processes_race_on_an_empty_place(self, tmp_path: Path) -> None:
        """Any number of programs may start on one fresh file: it is made once, and all can use it (§10)."""
        crew = Crew()
        try:
            for number in range(3):
                path = tmp_path / f"{number}.db"
                recipe = partial(SqliteStore, str(path), Policy(), wall_clock)
                crew.race(recipe, tasks.look, [None] * RACERS)
                assert ask(path, "PRAGMA user_version") == schema.current_version()
                assert ask(path, "SELECT count(*) FROM drift") == 1
        finally:
            crew.dismiss()

    def test_the_file_is_marked_and_in_write_ahead_mode(self, tmp_path: Path) -> None:
        """Our files can be told from others by their header, and say their version."""
        path = tmp_path / "jobs.db"
        store_at(path).open()
        assert path.read_bytes()[68:72] == b"actq"
        assert ask(path, "PRAGMA user_version") == schema.current_version()
        assert ask(path, "PRAGMA journal_mode") == "wal"
        assert ask(path, "PRAGMA integrity_check") == "ok"

    def test_opening_again_changes_nothing(self, tmp_path: Path) -> None:
        """A file that is up to date is used as it is, with what is in it (I1)."""
        path = tmp_path / "jobs.db"
        store_at(path).open()
        with closing(store_at(path).connect()) as backend:
            backend.enqueue([JOB])
        before = path.read_bytes()
        assert store_at(path).open().warnings == tuple(filter(None, [file_system_warning(path)]))
        assert path.read_bytes() == before

    def test_an_empty_file_is_taken(self, tmp_path: Path) -> None:
        """A file without content, as an operator may have made it for its permissions, is ours to fill."""
        path = tmp_path / "jobs.db"
        path.touch()
        store_at(path).open()
        assert path.read_bytes()[68:72] == b"actq"

    def test_a_connection_needs_the_file(self, tmp_path: Path) -> None:
        """A connection never makes a file: one that has gone is not replaced by an empty one (I1)."""
        path = tmp_path / "jobs.db"
        store = store_at(path)
        store.open()
        path.unlink()
        with pytest.raises(BackendUnavailable, match="cannot be opened"):
            store.connect()
        assert not path.exists()

    def test_every_connection_syncs_its_commits(self, tmp_path: Path) -> None:
        """``synchronous`` is not kept in the file, so each connection must have set it (I1)."""
        store = store_at(tmp_path / "jobs.db")
        store.open()
        with closing(store.connect()) as backend:
            sqlite = backend._connection._sqlite  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - no verb tells
            assert sqlite.execute("PRAGMA synchronous").fetchone() == (2,)
            assert sqlite.execute("PRAGMA journal_mode").fetchone() == ("wal",)


class TestRefusals:
    def test_a_newer_schema(self, tmp_path: Path) -> None:
        """A file of a later actorq is refused, naming both versions, and left as it is."""
        path = tmp_path / "jobs.db"
        store_at(path).open()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA user_version = 99")
        before = path.read_bytes()
        sentence = refused(path)
        assert "schema version 99" in sentence
        assert f"up to {schema.current_version()}" in sentence
        assert path.read_bytes() == before

    @pytest.mark.parametrize("mode", ["delete", "wal"])
    def test_the_database_of_another_program(self, tmp_path: Path, mode: str) -> None:
        """A database that is not ours is refused and left as it is, without a file beside it."""
        path = tmp_path / "theirs.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA journal_mode = {mode}")
            connection.execute("CREATE TABLE jobs (id)")
            connection.commit()
        before = path.read_bytes()
        assert "another program" in refused(path)
        assert path.read_bytes() == before
        assert list(tmp_path.iterdir()) == [path]

    def test_the_database_of_a_program_that_is_at_work(self, tmp_path: Path) -> None:
        """What another program has written and not yet moved into its file counts, too."""
        path = tmp_path / "theirs.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = wal")
            connection.execute("CREATE TABLE jobs (id)")
            connection.commit()
            before = path.read_bytes()
            assert "another program" in refused(path)
            assert path.read_bytes() == before
            connection.execute("INSERT INTO jobs VALUES (1)")

    @pytest.mark.parametrize(
        "content", [b"x", b"SQLite format 2\0" * 512, b"\0" * 8192, "Liebe Jobs\n".encode("utf-16")]
    )
    def test_no_database(self, tmp_path: Path, content: bytes) -> None:
        """A file that is no database is refused and left as it is."""
        path = tmp_path / "letter.txt"
        path.write_bytes(content)
        assert "not an SQLite database" in refused(path)
        assert path.read_bytes() == content
        assert list(tmp_path.iterdir()) == [path]

    def test_a_database_that_was_cut_off(self, tmp_path: Path) -> None:
        """A damaged database is refused in plain words, and not taken for an empty one."""
        path = tmp_path / "jobs.db"
        store_at(path).open()
        path.write_bytes(path.read_bytes()[:6_000])
        with pytest.raises(ConfigurationError, match="damaged"):
            store_at(path).open()

    def test_a_directory(self, tmp_path: Path) -> None:
        """A directory is named as what it is."""
        assert "is a directory" in refused(tmp_path)

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        """A folder is never made on the way: it is more likely misspelt."""
        assert f"the folder {tmp_path / 'none'}" in refused(tmp_path / "none" / "jobs.db")

    @pytest.mark.parametrize("path", ["", ":memory:", "a\0b"])
    def test_what_names_no_file(self, path: str) -> None:
        """Names which SQLite or the system would take for something else are refused."""
        assert "does not name a file" in refused(path)

    @pytest.mark.parametrize("what", ["folder", "file"])
    def test_a_missing_permission(self, what: str) -> None:
        """A file or folder that may not be written is refused, naming the permissions."""
        with TemporaryDirectory() as name:
            path = Path(name) / "jobs.db"
            if what == "file":
                store_at(path).open()
                path.chmod(0o444)
            path.parent.chmod(0o555)
            with as_nobody():
                sentence = refused(path)
            path.parent.chmod(0o755)
        assert "permission" in sentence


class TestFileSystems:
    @pytest.mark.parametrize(
        ("path", "words"),
        [
            ("/var/lib/jobs.db", None),
            ("/dev/shm/jobs.db", "in memory (tmpfs)"),  # noqa: S108 - a name to be judged
            ("/srv/nfs share/jobs.db", "network file system (nfs4)"),
            ("/srv/nfs share/disk/jobs.db", None),
            ("/srv/nfs share2/jobs.db", None),
            ("/mnt/far/jobs.db", "network file system (fuse.sshfs)"),
        ],
    )
    def test_the_deepest_mount_counts(self, tmp_path: Path, path: str, words: str | None) -> None:
        """A place in memory or on a network is told to the operator, whatever is mounted around it."""
        mounts = tmp_path / "mountinfo"
        mounts.write_text(MOUNTS.lstrip(), encoding="utf-8")
        warning = file_system_warning(Path(path), mounts)
        assert (warning is None) if words is None else (warning is not None and words in warning)

    def test_a_system_that_does_not_tell(self, tmp_path: Path) -> None:
        """Where nobody can tell what is mounted, nothing is claimed."""
        assert file_system_warning(tmp_path / "jobs.db", tmp_path / "none") is None
