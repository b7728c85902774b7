"""The guard: nothing real is touched in a simulation."""

from __future__ import annotations

import os
import random
import secrets
import socket
import subprocess
import sys
import threading
import time
import uuid
from typing import TYPE_CHECKING

import pytest

from actorq.clock import mint_token, wall_clock
from actorq.testing.simulation.guard import FORBIDDEN, NotSimulated, guarded

if TYPE_CHECKING:
    from collections.abc import Callable


def start_a_thread() -> None:
    threading.Thread(target=int).start()


REAL: list[Callable[[], object]] = [
    lambda: time.time(),
    lambda: time.monotonic(),
    lambda: time.sleep(0),
    wall_clock,
    lambda: random.random(),
    lambda: random.choice([1]),
    lambda: uuid.uuid4(),
    lambda: os.urandom(1),
    lambda: secrets.token_hex(),
    mint_token,
    start_a_thread,
    lambda: socket.socket(),
    lambda: subprocess.Popen([sys.executable, "-c", ""]),
]


def often(call: Callable[[], object]) -> None:
    """Call until nothing is left of what was drawn in advance, as tokens are."""
    for _ in range(1_000):
        call()


@pytest.mark.parametrize("place", range(len(REAL)))
def test_what_is_real_raises(place: int) -> None:
    """Time, randomness, threads, sockets and processes are for ports only."""
    with guarded(), pytest.raises(NotSimulated):
        often(REAL[place])


def test_the_guard_leaves_all_as_it_was() -> None:
    """After the simulation the world is real again, also when the simulation failed."""
    before = [getattr(owner, name) for owner, names in FORBIDDEN for name in names]

    def fail() -> None:
        with guarded():
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert [getattr(owner, name) for owner, names in FORBIDDEN for name in names] == before


def test_other_threads_go_on() -> None:
    """Whoever runs beside the simulation, as a test runner does, is not disturbed."""
    told: list[float] = []
    go, done = threading.Event(), threading.Event()

    def tell() -> None:
        go.wait()
        told.append(time.time())
        done.set()

    thread = threading.Thread(target=tell)
    thread.start()
    with guarded():
        go.set()
        done.wait()
    thread.join()
    assert told
