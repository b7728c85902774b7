"""Children: processes that run plain functions, one at a time each, and that can be killed."""

from __future__ import annotations

import json
import sys
from subprocess import PIPE
from typing import TYPE_CHECKING, Final

import anyio
import anyio.abc
from anyio.streams.buffered import BufferedByteReceiveStream

from actorq.errors import NotFound
from actorq.sdk.worker.endings import Ending, Failed
from actorq.sdk.worker.frames import ANSWERS, HEAD, Ask, Found, Order, Progress, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.sdk.context import Link

_LARGEST: Final = 64 * 1024 * 1024
"""Bytes of the largest message that a child may send."""


_LAST_WORDS_S: Final = 1.0
"""Seconds that a process may take to end after it has closed its output."""


class _Child:
    """One process."""

    def __init__(self, process: anyio.abc.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._stdin = process.stdin
        self._stdout = BufferedByteReceiveStream(process.stdout)

    async def run(self, order: Order, link: Link) -> Ending:
        """Run a job; raises anyio's stream errors when the process ends instead of answering."""
        await self._stdin.send(encode(order))
        while True:
            size = int.from_bytes(await self._stdout.receive_exactly(HEAD), "big")
            if size > _LARGEST:
                raise anyio.BrokenResourceError
            answer = ANSWERS.decode(await self._stdout.receive_exactly(size))
            match answer:
                case Progress(progress):
                    await link.report(progress)
                case Ask(job_ids):
                    await self._stdin.send(encode(await _found(link, job_ids)))
                case _:
                    return answer

    async def ended(self) -> int:
        """Wait for the end of a process that has closed its output; return its exit code."""
        # Not killed at once: to signal a process that has just ended takes its exit code away.
        with anyio.move_on_after(_LAST_WORDS_S):
            await self._process.wait()
        await self.end()
        return self._process.returncode or 0

    async def end(self) -> None:
        """Kill the process if it still runs, and let go of it."""
        with anyio.CancelScope(shield=True):
            if self._process.returncode is None:
                self._process.kill()
            await self._process.aclose()


class Children:
    """At most ``most`` processes, started when they are needed and kept for the next job."""

    def __init__(self, most: int) -> None:
        """Have none running."""
        self._limiter = anyio.CapacityLimiter(most)
        self._idle: list[_Child] = []
        self._ending = 0

    @property
    def running(self) -> int:
        """How many of them run a job, or are about to end."""
        return self._limiter.borrowed_tokens + self._ending

    async def run(self, order: Order, link: Link, starting: Callable[[], None]) -> Ending:
        """Run a job in a process of its own; being cancelled kills the process.

        ``link`` serves it, and ``starting`` is called when there is one. A process that ends by itself is
        the handler's failure.
        """
        async with self._limiter:
            child = self._idle.pop() if self._idle else await _start()
            try:
                starting()
                ending = await child.run(order, link)
            except (
                anyio.IncompleteRead,
                anyio.EndOfStream,
                anyio.BrokenResourceError,
                anyio.ClosedResourceError,
            ):
                code = await child.ended()
                how = (
                    f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
                )
                return Failed(f"the process of the handler {how}")
            except BaseException:
                await child.end()
                raise
            self._idle.append(child)
            return ending

    async def close(self) -> None:
        """End the processes that are idle; those that are not belong to whoever waits for them."""
        while self._idle:
            self._ending += 1
            try:
                await self._idle.pop().end()
            finally:
                self._ending -= 1


async def _found(link: Link, job_ids: Sequence[str]) -> Found:
    try:
        return Found(tuple(await link.jobs(job_ids)))
    except NotFound as error:
        return Found(missing=error.job_id)


async def _start() -> _Child:
    command = [sys.executable, "-m", "actorq.sdk.worker.child", json.dumps(sys.path)]
    # In a session of its own, so that a terminal's Control-C is the worker's business alone.
    process = await anyio.open_process(
        command, stdin=PIPE, stdout=PIPE, stderr=None, start_new_session=True
    )
    return _Child(process)
