"""A store that is away for a while: refusals that say so, and work again without a restart (C14, I20)."""

from __future__ import annotations

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Final

import pytest

from tests.e2e.doors import Door, Waiter
from tests.e2e.places import SERVED
from tests.e2e.server_process import ACTORQ, Server
from tests.e2e.victims import QUICK, Victim

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.server_process import Answer

TRUTH_S: Final = 2.0
"""Within how many seconds ``/readyz`` tells the truth (I20)."""

BACK_S: Final = 10.0
BUSY_S: Final = 1.5
"""Seconds that anything may take more on a machine with much else to do."""


@pytest.fixture(params=SERVED)
def victim(request: pytest.FixtureRequest) -> Iterator[Victim]:
    """Run a private server of a store."""
    with closing(Victim(str(request.param))) as victim:
        yield victim


def assert_away(answer: Answer) -> None:
    """See that a refusal says what is the matter, and when to come again."""
    assert answer.status == 503, answer
    assert int(answer.headers["retry-after"]) >= 1
    assert "'retryable': True" in str(answer.body)


def wait_until_ready(door: Door) -> None:
    """Wait until the server says that a job would be taken."""
    end = time.monotonic() + BACK_S
    while (answer := door.ask("GET", "/readyz")).status != 200:
        assert time.monotonic() < end, answer


def test_a_server_outlives_the_absence_of_its_store(victim: Victim, tmp_path: Path) -> None:
    """Without its store a server refuses with 503 and a time; with it, it goes on where it was (C14)."""
    settings = victim.settings(f"away-{secrets.token_hex(4)}")
    with (
        Server(tmp_path, *QUICK[victim.store], settings=settings) as server,
        ThreadPoolExecutor() as pool,
    ):
        door = Door(server.url())
        kept, held = door.put("kept"), door.put("held")
        taken = door.taken("held")
        waiting = pool.submit(door.ask, "POST", "/queues/empty/dequeue", {"wait": 20})
        assert door.take("empty") is None

        victim.kill()
        died_at = time.monotonic()
        assert_away(waiting.result())
        assert door.ask("GET", "/readyz").status == 503
        assert time.monotonic() - died_at < TRUTH_S + BUSY_S
        assert_away(door.ask("POST", "/jobs", {"queue_name": "kept", "payload": "x"}))
        assert_away(door.ask("POST", "/queues/kept/dequeue"))
        assert_away(door.ask("POST", f"/jobs/{taken.id}/ack", {"lease": taken.token}))
        assert_away(door.ask("GET", f"/jobs/{kept.id}"))
        assert door.ask("GET", "/healthz").status == 200

        victim.start()
        wait_until_ready(door)
        assert held.id == taken.id
        assert door.settle("ack", taken).status == "completed"
        assert door.taken("kept").id == kept.id
        waiter = Waiter(door, "empty")
        door.put("empty")
        assert waiter.result().job.attempt == 1


def test_a_frozen_store_is_told_of_in_time(victim: Victim, tmp_path: Path) -> None:
    """A store that says nothing is noticed within two seconds, and again when it speaks (I20)."""
    settings = victim.settings(f"away-{secrets.token_hex(4)}")
    with Server(tmp_path, *ACTORQ, settings=settings) as server:
        door = Door(server.url())
        door.put("kept")
        victim.freeze()
        frozen_at = time.monotonic()
        assert door.ask("GET", "/readyz").status == 503
        assert time.monotonic() - frozen_at < TRUTH_S + BUSY_S
        victim.thaw()
        wait_until_ready(door)
        assert door.taken("kept").attempt == 1
