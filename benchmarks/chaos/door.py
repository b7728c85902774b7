"""A client over plain HTTP that knows several servers and goes to another when one breaks."""

from __future__ import annotations

import http.client
import time
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.chaos.shown import ShownJob

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

PATIENCE_S: Final = 3.0
"""Seconds of silence after which an answer is given up."""

_PAUSE_S: Final = 0.1
_MOST_PAUSE_S: Final = 1.0

OK: Final = 200
CREATED: Final = 201
NO_CONTENT: Final = 204
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_TOO_MANY: Final = 429
UNAVAILABLE: Final = 503
_EXPECTED: Final = frozenset({OK, CREATED, _NOT_FOUND, _CONFLICT, _TOO_MANY, UNAVAILABLE})


class UnexpectedError(Exception):
    """A server answered what it never may answer here: the process that was told so ends."""


class Problem(msgspec.Struct):
    """What is read of a refusal."""

    code: str


_problem: Final = msgspec.json.Decoder(Problem)


class Answer(msgspec.Struct, frozen=True):
    """What came back: the body is JSON, or empty."""

    status: int
    body: bytes
    wait: float = 0.0
    """Seconds after which the server asks to be asked again."""

    replayed: bool = False

    def problem(self) -> Problem:
        """Return why it is a refusal."""
        return _problem.decode(self.body)


class Client:
    """One keep-alive connection, made anew, to another server, when it breaks. For one thread."""

    def __init__(self, ports: Sequence[int], draw: Random) -> None:
        """Talk with the servers at ``ports``, beginning with a drawn one."""
        self._ports = ports
        self._draw = draw
        self._place = draw.randrange(len(ports))
        self._connection: http.client.HTTPConnection | None = None
        self._broken = 0

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        patience: float = PATIENCE_S,
    ) -> Answer | None:
        """Send one request; None when its outcome is unknown."""
        headers = {"Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        data = None if body is None else msgspec.json.encode(body)
        connection = self._connection or self._connect()
        connection.timeout = patience
        try:
            if connection.sock is not None:
                connection.sock.settimeout(patience)
            connection.request(method, path, data, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            self._move_on()
            return None
        self._broken = 0
        wait = float(response.headers.get("Retry-After", "0"))
        replayed = response.headers.get("Idempotent-Replayed") == "true"
        return Answer(response.status, content, wait, replayed)

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def rest(self, answer: Answer | None) -> None:
        """Wait before the same is tried again: as long as the server asked for, within reason."""
        if answer is not None:
            time.sleep(min(answer.wait or _PAUSE_S, _MOST_PAUSE_S) * self._draw.uniform(0.5, 1.0))

    def _connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self._ports[self._place])
        self._connection = connection
        return connection

    def _move_on(self) -> None:
        """Go to the next server; when all of them were tried, not at once."""
        self.close()
        self._place = (self._place + 1) % len(self._ports)
        self._broken += 1
        if self._broken % len(self._ports) == 0:
            time.sleep(_PAUSE_S * self._draw.uniform(0.5, 1.0))


class Part(msgspec.Struct, frozen=True):
    """What became of one thing that was asked for, alone or in a batch."""

    status: int
    job: ShownJob | None = None
    code: str = ""
    replayed: bool = False

    @property
    def is_open(self) -> bool:
        """Whether what was asked for may or may not have happened."""
        return self.status == UNAVAILABLE and self.code == "backend_unavailable"

    @property
    def is_put_off(self) -> bool:
        """Whether nothing has happened, and the same may be asked for again later."""
        return self.status in {UNAVAILABLE, _TOO_MANY} and not self.is_open


class _Item(msgspec.Struct):
    status: int
    job: ShownJob | None = None
    error: Problem | None = None
    replayed: bool = False


class _Items(msgspec.Struct):
    results: list[_Item]


_job: Final = msgspec.json.Decoder(ShownJob)
_items: Final = msgspec.json.Decoder(_Items)


def alone(answer: Answer) -> Part:
    """Read the answer to a request about one job; raises ``UnexpectedError``."""
    if answer.status in {OK, CREATED}:
        return Part(answer.status, _job.decode(answer.body), "", answer.replayed)
    return _expected(Part(answer.status, code=answer.problem().code))


def together(answer: Answer, count: int) -> list[Part]:
    """Read the answer to a batch of ``count``; raises ``UnexpectedError``."""
    if answer.status != OK:
        return [_expected(Part(answer.status, code=answer.problem().code))] * count
    items = _items.decode(answer.body).results
    if len(items) != count:
        raise UnexpectedError(f"{len(items)} results for {count} items")
    return [
        _expected(Part(i.status, i.job, i.error.code if i.error else "", i.replayed)) for i in items
    ]


def _expected(part: Part) -> Part:
    """Let through what servers may answer to a client that makes no mistakes."""
    if part.status in _EXPECTED:
        return part
    raise UnexpectedError(f"{part.status} {part.code}")
