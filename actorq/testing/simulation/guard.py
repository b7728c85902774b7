"""The guard: while a simulation runs, real time, randomness, threads, sockets and processes raise."""

from __future__ import annotations

import os
import random
import secrets
import socket
import subprocess
import threading
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


class NotSimulated(Exception):
    """Something in the simulation reached for the real world."""


FORBIDDEN: Final[tuple[tuple[object, tuple[str, ...]], ...]] = (
    (time, ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "sleep", "localtime")),
    (
        random,
        ("random", "uniform", "randint", "randrange", "choice", "choices", "shuffle", "sample",
         "getrandbits", "randbytes"),
    ),
    (uuid, ("uuid1", "uuid4")),
    (os, ("urandom", "getrandom", "fork", "system", "posix_spawn")),
    (secrets, ("token_bytes", "token_hex", "token_urlsafe", "randbits", "randbelow", "choice")),
    (threading.Thread, ("start",)),
    (socket, ("socketpair", "create_connection", "getaddrinfo")),
    (socket.socket, ("__init__",)),
    (subprocess.Popen, ("__init__",)),
)  # fmt: skip
"""What may not be called, by the object that has it."""


@contextmanager
def guarded() -> Generator[None]:
    """Forbid the real world to the thread that runs the simulation; others go on as ever."""
    thread = threading.get_ident()
    before = [
        (owner, name, getattr(owner, name))
        for owner, names in FORBIDDEN
        for name in names
        if hasattr(owner, name)
    ]
    for owner, name, original in before:
        setattr(owner, name, _forbid(original, name, thread))
    try:
        yield
    finally:
        for owner, name, original in before:
            setattr(owner, name, original)


def _forbid(original: Callable[..., object], name: str, thread: int) -> Callable[..., object]:
    def refuse(*args: object, **options: object) -> object:
        if threading.get_ident() != thread:
            return original(*args, **options)
        raise NotSimulated(f"{name} belongs to the real world: a port must stand for it")

    return refuse
