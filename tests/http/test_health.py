"""The routes for those who watch over a server."""

from __future__ import annotations

import threading
import time

from tests.http.door import open_door


async def test_a_live_process_says_so() -> None:
    """/healthz is 200 whatever the store does: to start the process anew would not mend it (§9)."""
    async with open_door() as door:
        door.trouble.away = True
        answer = await door.call("GET", "/healthz")
        assert answer.read(dict[str, str]) == {"status": "ok"}


async def test_ready_is_what_the_store_says() -> None:
    """/readyz is 200 while a job would be taken, with the store's words to its operator (I20)."""
    async with open_door() as door:
        answer = await door.call("GET", "/readyz")
        assert answer.status == 200
        ready = answer.read(dict[str, object])
        assert ready["status"] == "ready"
        assert ready["warnings"] == ["the memory store loses every job when its program ends"]
        head = await door.call("HEAD", "/readyz")
        assert (head.status, head.body) == (200, b"")


async def test_a_store_that_is_away_is_not_ready() -> None:
    """/readyz is 503 at once while the store is away, and 200 when it is back (I20, C14)."""
    async with open_door() as door:
        door.trouble.away = True
        (await door.call("GET", "/readyz")).problem(503, "backend_unavailable")
        door.trouble.away = False
        assert (await door.call("GET", "/readyz")).status == 200


async def test_a_frozen_store_is_not_ready_within_two_seconds() -> None:
    """A store that does not answer at all: /readyz tells the truth within 2 s (I20)."""
    frozen = threading.Event()
    async with open_door(threads=True) as door:
        door.trouble.before = lambda verb: _hold(frozen) if verb == "check" else None
        begin = time.monotonic()
        try:
            answer = await door.call("GET", "/readyz")
        finally:
            frozen.set()
        answer.problem(503, "backend_unavailable")
        assert time.monotonic() - begin < 2.0


async def test_a_server_that_goes_away_is_not_ready() -> None:
    """While it drains a server is live and not ready: nothing new shall be sent to it (§9)."""
    async with open_door() as door:
        door.runtime.drain()
        answer = await door.call("GET", "/readyz")
        answer.problem(503, "shutting_down")
        assert answer.headers["retry-after"] == "1"
        assert (await door.call("GET", "/healthz")).status == 200


def _hold(frozen: threading.Event) -> None:
    """Stand still in a lane's thread until the test is over."""
    assert frozen.wait(10)
