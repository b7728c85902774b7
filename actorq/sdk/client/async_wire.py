"""The wire that awaits, on asyncio and trio. Needs the extra ``client``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio
import anyio.lowlevel
import httpx2

from actorq.sdk.client.errors import BadAnswer
from actorq.sdk.client.exchange import Answer
from actorq.sdk.client.wire import Collector, Origin

if TYPE_CHECKING:
    from actorq.sdk.client.exchange import Lost, Request

UNDO_S: Final = 2.0
"""How long a caller that was cancelled is kept, to receive what is on its way, and to take it back."""


class AsyncWire:
    """Sends requests and awaits their answers."""

    def __init__(self, origin: Origin, transport: httpx2.AsyncBaseTransport | None) -> None:
        """Keep connections to ``origin``, by ``transport`` if there is one."""
        self._origin = origin
        self._transport = transport or httpx2.AsyncHTTPTransport(
            verify=origin.is_secure, limits=origin.limits()
        )

    async def exchange(self, request: Request) -> Answer | Lost:
        """Send a request; return its answer, or why there is none. Raises ``BadAnswer``.

        Of a request that can be undone nothing is lost by being cancelled while its answer comes in: it
        is read to its end, and what it gave is taken back.
        """
        if request.undo is None:
            return await self._exchange(request, anyio.CancelScope())
        result: Answer | Lost | None = None
        failure: BadAnswer | None = None
        reading = anyio.CancelScope(shield=False)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_hurry, reading)
                try:
                    result = await self._exchange(request, reading)
                except BadAnswer as error:
                    # Held back from the task group, which would wrap it.
                    failure = error
                tasks.cancel_scope.cancel()
            await anyio.lowlevel.checkpoint_if_cancelled()
        except BaseException:
            await self._take_back(request, result)
            raise
        if result is None:
            assert failure is not None
            raise failure
        return result

    async def _exchange(self, request: Request, reading: anyio.CancelScope) -> Answer | Lost:
        """Exchange request and answer; the answer's body is read in the scope ``reading``."""
        start = anyio.current_time()
        seconds = self._origin.seconds(request)
        response: httpx2.Response | None = None
        try:
            with anyio.move_on_after(seconds):
                sent = self._origin.request(request, seconds)
                response = await self._transport.handle_async_request(sent)
            if response is not None:
                reading.deadline = start + seconds
                reading.shield = request.undo is not None
                with reading:
                    collector = await self._collect(response)
                    return collector.answer(anyio.current_time() - start)
        except httpx2.TransportError as error:
            return self._origin.lost(error, anyio.current_time() - start)
        return self._origin.late(seconds)

    async def _collect(self, response: httpx2.Response) -> Collector:
        try:
            collector = Collector(response, self._origin.options)
            try:
                async for piece in response.aiter_raw():
                    collector.add(piece)
                    if collector.is_full:
                        # Closed, and read on to the error that this makes: a loop that is left leaves
                        # the library's generators to the garbage collector.
                        await response.aclose()
            except httpx2.TransportError:
                if not collector.is_full:
                    raise
        finally:
            with anyio.CancelScope(shield=True):
                await response.aclose()
        return collector

    async def _take_back(self, request: Request, result: Answer | Lost | None) -> None:
        if not isinstance(result, Answer) or request.undo is None:
            return
        undoing = request.undo(result)
        if undoing is not None:
            with anyio.move_on_after(UNDO_S, shield=True):
                await self._exchange(undoing, anyio.CancelScope())

    async def close(self) -> None:
        """Close all connections."""
        with anyio.CancelScope(shield=True):
            await self._transport.aclose()


async def _hurry(reading: anyio.CancelScope) -> None:
    """Wait for the caller to be cancelled; then give the reading a little time, and no more."""
    try:
        await anyio.sleep_forever()
    finally:
        reading.deadline = min(reading.deadline, anyio.current_time() + UNDO_S)
