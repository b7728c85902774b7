"""What a body may cost: its size, its slowness, its fragments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from actorq.errors import ActorqError
from actorq.http import AppOptions, BodyLimits
from actorq.http.server import WHOLE_BODY
from tests.http.door import open_door

if TYPE_CHECKING:
    from collections.abc import Callable

BODY = b'{"queue":"q","payload":"%s"}'
FRAME = len(BODY) - 2


def sized(size: int) -> bytes:
    """Return a body of exactly this size."""
    return BODY % (b"x" * (size - FRAME))


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_has_a_size(declared: bool) -> None:
    """At the limit it is taken, one byte more is 413, declared or not (§9, F2)."""
    async with open_door(AppOptions(body=BodyLimits(max_body=1_000))) as door:
        for size, status in ((FRAME, 201), (1_000, 201), (1_001, 413)):
            headers = {"Content-Length": str(size)} if declared else {}
            body = sized(size)
            pieces = [body[:500], body[500:]]
            answer = await door.call("POST", "/jobs", pieces=pieces, headers=headers)
            assert answer.status == status
        answer.problem(413, "body_too_large")


async def test_a_declared_size_is_refused_unread() -> None:
    """A body that says it is too large is not read at all (§9, F2)."""
    async with open_door(AppOptions(body=BodyLimits(max_body=1_000))) as door:
        for length in ("536870912", "9" * 400):
            exchange = door.exchange("POST", "/jobs", pieces=[], headers={"Content-Length": length})
            await exchange.run(door.app)
            exchange.answer().problem(413, "body_too_large")


async def test_an_endless_body_is_cut() -> None:
    """A body without an end is held up to the limit and one piece, and refused then (§9, F2)."""
    async with open_door(AppOptions(body=BodyLimits(max_body=100_000))) as door:
        exchange = door.exchange("POST", "/jobs", pieces=[])
        given = 0

        async def receive() -> dict[str, object]:
            nonlocal given
            await anyio.lowlevel.checkpoint()
            given += 1
            return {"type": "http.request", "body": b"x" * 10_000, "more_body": True}

        await door.app(exchange.scope, receive, exchange.send)
        exchange.answer().problem(413, "body_too_large")
        assert given == 11


async def test_a_body_in_pieces_is_whole() -> None:
    """A body in many small pieces, empty ones among them, is read to its end (§9)."""
    async with open_door() as door:
        body = sized(500)
        pieces = [body[n : n + 1] for n in range(500)] + [b""]
        assert (await door.call("POST", "/jobs", pieces=pieces)).status == 201


async def test_a_body_in_crumbs_is_refused() -> None:
    """So many pieces that parsing them costs more than they hold: 400 (§9, F9)."""
    async with open_door() as door:
        pieces = [b""] * 1_100 + [b"{}"]
        answer = await door.call("POST", "/jobs", pieces=pieces)
        answer.problem(400, "body_too_fragmented")


@pytest.mark.parametrize(
    "limits",
    [
        BodyLimits(max_body=1_000, body_timeout=0.05),
        BodyLimits(max_body=1_000, rate_grace=0.05, min_body_rate=10**6),
    ],
)
async def test_a_slow_body_is_cut(limits: BodyLimits) -> None:
    """A body that stalls, from its start or in its middle: 408, retryable (§9, F9)."""
    async with open_door(AppOptions(body=limits)) as door:
        exchange = door.exchange("POST", "/jobs", pieces=[b"{", b'"', b""])
        exchange.stall()
        await exchange.run(door.app)
        assert exchange.answer().problem(408, "body_too_slow").retryable
        assert await door.queue.list_queues() == []


async def test_a_silent_body_is_cut() -> None:
    """A head whose body never begins: 408 once the time for the body is over (§9, F9)."""
    limits = BodyLimits(max_body=1_000, body_timeout=0.05)
    async with open_door(AppOptions(body=limits)) as door:
        exchange = door.exchange("POST", "/jobs", pieces=[])
        await exchange.run(door.app)
        exchange.answer().problem(408, "body_too_slow")


async def test_a_short_time_for_bodies_is_not_one_for_the_store() -> None:
    """The time for the body bounds the body alone: a wait may take longer (§9)."""
    limits = BodyLimits(max_body=1_000, body_timeout=0.02)
    async with open_door(AppOptions(body=limits), patience=0.05) as door:
        answer = await door.call("POST", "/queues/q/dequeue", {"wait": 0.2})
        assert answer.status == 204
        job = await door.put()
        target, headers = f"/jobs/{job.id}?wait=0.2", {"If-None-Match": '"1"'}
        assert (await door.call("GET", target, headers=headers)).status == 304


async def test_a_body_that_is_there_is_read_without_a_deadline() -> None:
    """A server that says that all of the body has arrived is believed: no time for it runs (§9)."""
    limits = BodyLimits(max_body=1_000, body_timeout=1e-9)
    async with open_door(AppOptions(body=limits)) as door:
        exchange = door.exchange("POST", "/jobs", pieces=[b'{"queue":"q",', b'"payload":"x"}', b""])
        exchange.scope["extensions"] = {WHOLE_BODY: {}}
        await exchange.run(door.app)
        assert exchange.answer().job(201).queue_name == "q"


async def test_a_client_that_leaves_within_its_body_gets_no_answer() -> None:
    """A client that hangs up before its body is complete: nothing is done or answered (§9)."""
    async with open_door() as door:
        exchange = door.exchange("POST", "/jobs", pieces=[sized(500)[:100], b""])
        exchange.stall()
        exchange.hang_up()
        await exchange.run(door.app)
        assert exchange.sent == []
        assert await door.queue.list_queues() == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: BodyLimits(max_body=-1),
        lambda: BodyLimits(max_body=1, min_body_rate=0),
        lambda: BodyLimits(max_body=1, body_timeout=0),
        lambda: BodyLimits(max_body=1, rate_grace=-1),
    ],
)
def test_bounds_that_nobody_could_keep_are_refused(make: Callable[[], BodyLimits]) -> None:
    """Limits that no request could meet are an error of whoever sets them."""
    with pytest.raises(ValueError, match="must be") as caught:
        make()
    assert not isinstance(caught.value, ActorqError)
