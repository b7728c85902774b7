"""What one request may cost: size, slowness and fragmentation of its body, and how many at once.

A body is read by :class:`Body` from the bare ASGI ``receive``, so the same bounds hold under every
server and inside every application that mounts actorq. Nothing here writes a response: each bound
raises an error of this module, which the problem documents map to a status (413, 408, 400, 503); a
client that has gone gets none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import anyio

from actorq.errors import ActorqError

if TYPE_CHECKING:
    from starlette.types import Message, Receive

_FREE_PIECES = 1024
_BYTES_PER_PIECE = 16


class BodyTooLarge(ActorqError):
    """The body is larger than the limit: 413. ``limit`` is in bytes."""

    code: ClassVar[str] = "body_too_large"

    def __init__(self, limit: int) -> None:
        """Name the limit, in bytes."""
        super().__init__(f"the request body is larger than {limit} bytes")
        self.limit = limit


class BodyTooSlow(ActorqError):
    """The body did not arrive in time, or slower than the least rate: 408.

    Retryable: nothing of the request was carried out.
    """

    code: ClassVar[str] = "body_too_slow"
    retryable: ClassVar[bool] = True

    def __init__(self, received: int, seconds: float) -> None:
        """Say how many bytes had arrived after how many seconds."""
        super().__init__(f"the request body came too slowly: {received} bytes in {seconds:.1f} s")
        self.received = received
        self.seconds = seconds


class BodyTooFragmented(ActorqError):
    """The body came in so many tiny pieces that parsing them costs more than their worth: 400."""

    code: ClassVar[str] = "body_too_fragmented"

    def __init__(self, pieces: int, received: int) -> None:
        """Say how many pieces carried how many bytes."""
        super().__init__(f"the request body came in {pieces} pieces for {received} bytes")
        self.pieces = pieces
        self.received = received


class ClientGone(ActorqError):
    """The client hung up before its body was complete: there is nobody to answer."""

    code: ClassVar[str] = "client_gone"

    def __init__(self) -> None:
        """Say what happened, for the log."""
        super().__init__("the client hung up before its request was complete")


class TooManyRequestsInFlight(ActorqError):
    """As many requests as allowed are being answered already: 503 with ``Retry-After``.

    ``retry_after`` is in seconds.
    """

    code: ClassVar[str] = "too_many_requests_in_flight"
    retryable: ClassVar[bool] = True

    def __init__(self, limit: int, retry_after: int = 1) -> None:
        """Name the bound and say, in seconds, when to try again."""
        super().__init__(f"{limit} requests are being answered already")
        self.limit = limit
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """The bounds of one request body.

    ``max_body`` is in bytes; ``body_timeout`` is the time for the whole body, in seconds. From its
    second piece on, and once ``rate_grace`` seconds have passed, at least ``min_body_rate`` bytes per
    second must have come.
    """

    max_body: int
    body_timeout: float = 30.0
    min_body_rate: int = 1024
    rate_grace: float = 3.0

    def __post_init__(self) -> None:
        """Refuse bounds that no request could keep (``ValueError``)."""
        if self.max_body < 0 or self.min_body_rate < 1:
            msg = "max_body must be at least 0 and min_body_rate at least 1"
            raise ValueError(msg)
        if self.body_timeout <= 0 or self.rate_grace <= 0:
            msg = "body_timeout and rate_grace must be above 0"
            raise ValueError(msg)

    def allowance(self, received: int) -> float:
        """Seconds after the start by which more must have come, when ``received`` bytes have."""
        return min(self.body_timeout, self.rate_grace + received / self.min_body_rate)


class Body:
    """One request's body as it comes in; holds at most the limit and one piece of it."""

    __slots__ = ("_limits", "_parts", "pieces", "received")

    def __init__(self, limits: BodyLimits) -> None:
        """Read within ``limits``."""
        self._limits = limits
        self._parts: list[bytes] = []
        self.pieces = 0
        self.received = 0

    async def read(self, declared: bytes | None, receive: Receive, *, is_here: bool) -> bytes:
        """Read it to its end; ``declared`` is the header ``Content-Length``.

        ``is_here`` says that all of it has arrived: then no deadline is needed, which costs as much as
        everything else that is done to read it. Raises ``BodyTooLarge`` (before reading anything when it
        is declared so), ``BodyTooSlow``, ``BodyTooFragmented`` and ``ClientGone``.
        """
        # The server has refused a malformed length; one that is not digits is counted instead.
        if declared is not None and declared.isdigit() and int(declared) > self._limits.max_body:
            raise BodyTooLarge(self._limits.max_body)
        if is_here:
            while not self._add(await receive()):
                pass
        else:
            await self._wait_for_all(receive)
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    async def _wait_for_all(self, receive: Receive) -> None:
        """Take what comes until all has come, or it comes too slowly."""
        start = anyio.current_time()
        with anyio.CancelScope(deadline=start + self._limits.body_timeout) as patience:
            while not self._add(await receive()):
                # Some servers end a body that came in one piece with an empty one: that may take its time.
                if self.pieces > 1:
                    patience.deadline = start + self._limits.allowance(self.received)
            return
        raise BodyTooSlow(self.received, anyio.current_time() - start)

    def _add(self, message: Message) -> bool:
        """Take one ASGI message; true when the body is complete."""
        if message["type"] == "http.disconnect":
            raise ClientGone
        part: bytes = message.get("body", b"")
        if part:
            self.received += len(part)
            if self.received > self._limits.max_body:
                raise BodyTooLarge(self._limits.max_body)
            self._parts.append(part)
        self.pieces += 1
        # An honest client may stream a small document in tiny writes, hence the free pieces; beyond
        # them each piece must carry its share, or a body under the limit costs seconds of parsing.
        if self.pieces > _FREE_PIECES + self.received // _BYTES_PER_PIECE:
            raise BodyTooFragmented(self.pieces, self.received)
        return not message.get("more_body", False)


class InFlightLimit:
    """Counts the requests that are being answered; one too many is refused at once."""

    def __init__(self, max_in_flight: int) -> None:
        """Allow ``max_in_flight`` requests, at least 1."""
        if max_in_flight < 1:
            msg = "max_in_flight must be at least 1"
            raise ValueError(msg)
        self._max = max_in_flight
        self.in_flight = 0

    def enter(self) -> None:
        """Count a request in, or raise ``TooManyRequestsInFlight``."""
        if self.in_flight >= self._max:
            raise TooManyRequestsInFlight(self._max)
        self.in_flight += 1

    def leave(self) -> None:
        """Count a request out that was counted in."""
        self.in_flight -= 1
