"""The load: a process that talks HTTP over many connections and does nothing else.

``python -m benchmarks.load ORDER``, where the order is JSON; prints the outcome as JSON. Bare
sockets, keep-alive, one request at a time on each connection; on loopback only, and it ends by itself.
"""

from __future__ import annotations

import re
import selectors
import socket
import sys
import time
from statistics import quantiles
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks import conversations
from benchmarks.contest import BenchmarkError
from benchmarks.conversations import Answer, Conversation, Held
from benchmarks.plan import Shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LOOPBACK: Final = "127.0.0.1"
_PIECE: Final = 256 * 1024
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSE: Final = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_NO_BODY: Final = 204
_PREFILL: Final = Shape(batch=100)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to say, to whom; ``seconds`` is the longest that it may take."""

    port: int
    scenario: str
    queue: str
    shape: Shape
    jobs: int
    is_echo: bool = False
    delay: float = 0.0
    seconds: float = 120.0


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The jobs a second, and the milliseconds of one request."""

    rate: float
    p50_ms: float
    p99_ms: float


class _Talk:
    """One connection and what is said on it; a connection that the server ends is made anew."""

    def __init__(self, port: int, conversation: Conversation) -> None:
        self._port = port
        self._conversation = conversation
        self._received = bytearray()
        self._sent_at = 0.0
        self.peer = _connect(port)
        self.latencies: list[float] = []

    def begin(self) -> bool:
        """Say the first thing; tell whether there was one."""
        return self._say(next(self._conversation, None))

    def hear(self) -> bool:
        """Take what has come, and answer if it is whole; tell whether the talk goes on."""
        piece = self.peer.recv(_PIECE)
        if not piece:
            raise BenchmarkError("the server closed a connection without saying so before")
        self._received += piece
        answer = parse(self._received)
        if answer is None:
            return True
        self.latencies.append(time.perf_counter() - self._sent_at)
        self._received.clear()
        if answer.is_last:
            self.peer.close()
            self.peer = _connect(self._port)
        try:
            return self._say(self._conversation.send(answer))
        except StopIteration:
            return False

    def _say(self, request: bytes | None) -> bool:
        if request is None:
            return False
        self._sent_at = time.perf_counter()
        self.peer.sendall(request)
        return True


def parse(received: bytearray) -> Answer | None:
    """Return the answer that ``received`` is, or None while something is missing."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    status = int(received[9:12])
    is_last = _CLOSE.search(received, 0, end) is not None
    length = _LENGTH.search(received, 0, end)
    if length is None:
        if status == _NO_BODY:
            return Answer(status, b"", is_last)
        raise BenchmarkError("an answer without a length")
    start, size = end + 4, int(length[1])
    if len(received) < start + size:
        return None
    return Answer(status, bytes(received[start : start + size]), is_last)


def talk(port: int, everybody: Sequence[Conversation], most: float) -> tuple[float, list[float]]:
    """Hold all conversations at once; return the seconds, and those of each request."""
    talks = [_Talk(port, conversation) for conversation in everybody]
    try:
        started = time.perf_counter()
        _hold(talks, started + most)
        seconds = time.perf_counter() - started
    finally:
        for one in talks:
            one.peer.close()
    return seconds, [latency for one in talks for latency in one.latencies]


def _hold(talks: Sequence[_Talk], deadline: float) -> None:
    with selectors.DefaultSelector() as selector:
        for one in talks:
            if one.begin():
                selector.register(one.peer, selectors.EVENT_READ, one)
        while selector.get_map():
            ready = selector.select(1.0)
            if time.perf_counter() > deadline:
                raise BenchmarkError("the load took too long")
            for key, _ in ready:
                heard: _Talk = key.data
                goes_on = heard.hear()
                if not goes_on or heard.peer is not key.fileobj:
                    selector.unregister(key.fileobj)
                if goes_on and heard.peer is not key.fileobj:
                    selector.register(heard.peer, selectors.EVENT_READ, heard)


def run(order: Order) -> Outcome:
    """Prepare what the scenario needs, then put the load on and measure it."""
    sizes = iter(order.shape.sizes(order.jobs))
    held: list[Held] = []
    _prepare(order, held)
    everybody = [_conversation(order, sizes, held) for _ in range(order.shape.callers)]
    seconds, latencies = talk(order.port, everybody, order.seconds)
    percentiles = quantiles(latencies, n=100) if len(latencies) > 1 else latencies * 99
    return Outcome(
        rate=order.jobs / seconds,
        p50_ms=percentiles[49] * 1e3,
        p99_ms=percentiles[98] * 1e3,
    )


def _prepare(order: Order, held: list[Held]) -> None:
    sizes = _PREFILL.sizes(order.jobs)
    if not order.is_echo and order.scenario in {"claim", "ack"}:
        filling = conversations.enqueue(iter(sizes), order.queue)
        talk(order.port, [filling], order.seconds)
        if order.scenario == "ack":
            claiming = conversations.claim(iter(sizes), order.queue, held)
            talk(order.port, [claiming], order.seconds)


def _conversation(order: Order, sizes: Iterator[int], held: list[Held]) -> Conversation:
    if order.is_echo:
        return conversations.echo(order.scenario, sizes)
    match order.scenario:
        case "enqueue":
            return conversations.enqueue(sizes, order.queue, order.delay)
        case "claim":
            return conversations.claim(sizes, order.queue, held)
        case "ack":
            return conversations.ack(sizes, held)
        case "life":
            return conversations.life(sizes, order.queue)
        case unknown:
            raise BenchmarkError(f"there is no scenario {unknown!r}")


def _connect(port: int) -> socket.socket:
    peer = socket.create_connection((_LOOPBACK, port), timeout=30)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return peer


def main() -> None:
    """Do what the argument orders."""
    order = msgspec.json.decode(sys.argv[1], type=Order)
    print(msgspec.json.encode(run(order)).decode())


if __name__ == "__main__":
    main()
