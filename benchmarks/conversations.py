"""Conversations: what one connection says in a scenario, and what it must be answered.

A conversation is a generator: it yields a request and is sent the answer. Requests are made of
parts that were prepared before, and answers are looked at no closer than needed, so that the load
costs less than what it measures.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from benchmarks.contest import BenchmarkError
from benchmarks.plan import HOLD_S, PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

_OK: Final = 200
_CREATED: Final = 201


class Answer(msgspec.Struct, frozen=True):
    """What a server said; ``is_last`` when it said that it will end the connection now."""

    status: int
    body: bytes
    is_last: bool = False


Conversation: TypeAlias = "Generator[bytes, Answer, None]"


class Held(msgspec.Struct, frozen=True):
    """Of a claimed job, what its holder needs."""

    id: str
    lease: _Token


class _Token(msgspec.Struct, frozen=True):
    token: str


class _Verdict(msgspec.Struct, frozen=True):
    status: int


class _Verdicts(msgspec.Struct, frozen=True):
    results: list[_Verdict]


_one_held: Final = msgspec.json.Decoder(Held)
_many_held: Final = msgspec.json.Decoder(list[Held])
_verdicts: Final = msgspec.json.Decoder(_Verdicts)


def post(path: str, body: object) -> bytes:
    """Return the bytes of a request with a JSON body."""
    data = json.dumps(body, separators=(",", ":")).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


# ── scenarios on actorq's routes ────────────────────────────────────────────────────────────────


def enqueue(sizes: Iterator[int], queue: str, delay: float = 0.0) -> Conversation:
    """Enqueue one job a request, or a batch a request."""
    job = _job(queue, delay)
    single = post("/jobs", job)
    for size in sizes:
        if size == 1:
            _expect(_CREATED, (yield single))
        else:
            answer = yield post("/jobs/batch", {"jobs": [job] * size})
            _expect_all(_CREATED, size, answer)


def claim(sizes: Iterator[int], queue: str, keep: list[Held]) -> Conversation:
    """Claim jobs that are there, and keep what settles them."""
    single = post(f"/queues/{queue}/dequeue", _wish(1))
    for size in sizes:
        if size == 1:
            answer = yield single
            _expect(_OK, answer)
            keep.append(_one_held.decode(answer.body))
        else:
            answer = yield post(f"/queues/{queue}/dequeue", _wish(size))
            _expect(_OK, answer)
            jobs = _many_held.decode(answer.body)
            if len(jobs) != size:
                raise BenchmarkError(f"a claim for {size} jobs got {len(jobs)}")
            keep.extend(jobs)


def ack(sizes: Iterator[int], held: list[Held]) -> Conversation:
    """Complete jobs that are held."""
    for size in sizes:
        mine = [held.pop() for _ in range(size)]
        if size == 1:
            _expect(_OK, (yield _acknowledge(mine[0])))
        else:
            items = [{"id": job.id, "action": "ack", "lease": job.lease.token} for job in mine]
            _expect_all(_OK, size, (yield post("/jobs/settle", {"items": items})))


def life(sizes: Iterator[int], queue: str) -> Conversation:
    """Enqueue, claim and complete, one after the other."""
    for size in sizes:
        held: list[Held] = []
        yield from enqueue(iter([size]), queue)
        yield from claim(iter([size]), queue, held)
        yield from ack(iter([size]), held)


# ── the same requests to the echo ───────────────────────────────────────────────────────────────


def echo(scenario: str, sizes: Iterator[int]) -> Conversation:
    """Send bodies as long as those of ``scenario`` to the echo route."""
    made: dict[int, list[bytes]] = {}
    for size in sizes:
        if size not in made:
            made[size] = [post("/echo", body) for body in _BODIES[scenario](size)]
        for request in made[size]:
            _expect(_OK, (yield request))


def _enqueue_bodies(size: int) -> list[object]:
    job = _job("echo", 0.0)
    return [job if size == 1 else {"jobs": [job] * size}]


def _claim_bodies(size: int) -> list[object]:
    return [_wish(size)]


def _ack_bodies(size: int) -> list[object]:
    item = {"id": "0" * 36, "action": "ack", "lease": "0" * 32}
    return [{"lease": "0" * 32} if size == 1 else {"items": [item] * size}]


def _life_bodies(size: int) -> list[object]:
    return [*_enqueue_bodies(size), *_claim_bodies(size), *_ack_bodies(size)]


_BODIES: Final[dict[str, Callable[[int], list[object]]]] = {
    "enqueue": _enqueue_bodies,
    "claim": _claim_bodies,
    "ack": _ack_bodies,
    "life": _life_bodies,
}


# ── parts ───────────────────────────────────────────────────────────────────────────────────────


def _job(queue: str, delay: float) -> dict[str, object]:
    job: dict[str, object] = {"queue_name": queue, "payload": PAYLOAD}
    return {**job, "delay": delay} if delay else job


def _wish(size: int) -> dict[str, object]:
    wish: dict[str, object] = {"worker_id": "bench", "visibility_timeout": HOLD_S}
    return wish if size == 1 else {**wish, "max": size}


def _acknowledge(job: Held) -> bytes:
    return post(f"/jobs/{job.id}/ack", {"lease": job.lease.token})


def _expect(status: int, answer: Answer) -> None:
    if answer.status != status:
        said = answer.body[:300].decode(errors="replace")
        raise BenchmarkError(f"expected {status}, got {answer.status}: {said}")


def _expect_all(status: int, size: int, answer: Answer) -> None:
    _expect(_OK, answer)
    found = [verdict.status for verdict in _verdicts.decode(answer.body).results]
    if found != [status] * size:
        raise BenchmarkError(f"expected {size} times {status}, got {found[:5]} …")
