"""The wire that blocks. Needs the extra ``client``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx2

from actorq.sdk.client.wire import Collector, Origin

if TYPE_CHECKING:
    from actorq.sdk.client.exchange import Answer, Lost, Request


class BlockingWire:
    """Sends requests and waits for their answers, from any thread."""

    def __init__(self, origin: Origin, transport: httpx2.BaseTransport | None) -> None:
        """Keep connections to ``origin``, by ``transport`` if there is one."""
        self._origin = origin
        self._transport = transport or httpx2.HTTPTransport(
            verify=origin.is_secure, limits=origin.limits()
        )

    def exchange(self, request: Request) -> Answer | Lost:
        """Send a request; return its answer, or why there is none. Raises ``BadAnswer``."""
        start = time.monotonic()
        seconds = self._origin.seconds(request)
        try:
            response = self._transport.handle_request(self._origin.request(request, seconds))
            try:
                collector = Collector(response, self._origin.options)
                for piece in response.iter_raw():
                    collector.add(piece)
                    if collector.is_full:
                        break
                    # Each piece may come in time, and all of them never end.
                    if time.monotonic() - start > seconds:
                        return self._origin.late(seconds)
            finally:
                response.close()
        except httpx2.TransportError as error:
            return self._origin.lost(error, time.monotonic() - start)
        return collector.answer(time.monotonic() - start)

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()
