"""The place of the file: what is wrong with it before SQLite touches it, and what is risky about it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from actorq.errors import ConfigurationError

MOUNTS: Final = Path("/proc/self/mountinfo")
"""Where Linux tells what is mounted."""

HEADER_BYTES: Final = 100
"""The size of the header of an SQLite database."""

_MAGIC: Final = b"SQLite format 3\0"
_NETWORK: Final = frozenset(
    {"9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "lustre", "nfs", "nfs4", "smb3"}
)
_MEMORY: Final = frozenset({"ramfs", "tmpfs"})


def check_place(path: Path) -> bytes:
    """Return the header of the database, empty if there is none yet.

    Raises ``ConfigurationError`` if there can be none, or what is there is no database.
    """
    try:
        if path.is_dir():
            raise ConfigurationError(f"{path} is a directory: a database is one file")
        if not path.parent.is_dir():
            raise ConfigurationError(f"the folder {path.parent} of the database does not exist")
        with path.open("rb") as file:
            header = file.read(HEADER_BYTES)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    if header and not header.startswith(_MAGIC):
        raise ConfigurationError(f"{path} is not an SQLite database: it was left as it is")
    return header


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells this file from another one of its name; None if there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - once for each transaction: Path.stat takes twice as long
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def wal_bytes(path: Path) -> int:
    """Return the size of the write-ahead log beside the database."""
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size
    except FileNotFoundError:
        return 0


def file_system_warning(path: Path, mounts: Path = MOUNTS) -> str | None:
    """Return what an operator should know of the file system under ``path``, if anything."""
    kind = _file_system(path, mounts)
    if kind in _NETWORK:
        return (
            f"{path} is on a network file system ({kind}): locks and shared memory do not work "
            "reliably there, so jobs may be lost. Use a local disk."
        )
    if kind in _MEMORY:
        return f"{path} is in memory ({kind}): its jobs are lost when the machine stops"
    return None


def _file_system(path: Path, mounts: Path) -> str:
    """Return the type of the file system that holds ``path``, empty where nobody can tell."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
        real = path.resolve()
    except OSError:
        # Other systems do not tell.
        return ""
    deepest, kind = -1, ""
    for line in lines:
        fields = line.split()
        # Blanks in a path are written as octal escapes.
        point = Path(fields[4].encode().decode("unicode_escape"))
        depth = len(point.parts)
        if depth >= deepest and real.is_relative_to(point):
            deepest, kind = depth, fields[fields.index("-") + 1]
    return kind
