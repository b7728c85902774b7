"""``actorq serve`` on a store that misbehaves, behind a door that shows it: for tests of the end.

The first argument says how the store misbehaves. The door's paths: ``/get`` reads a job, ``/poll`` waits
for one, ``/sleep`` never answers, ``/crash`` makes an actor crash until its budget is used up.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Never, cast

import anyio

from actorq import logs
from actorq.cli import serve
from actorq.clock import wall_clock
from actorq.core.results import Check, Claimed, Sweep
from actorq.errors import BackendUnavailable
from actorq.opening import log_crash
from actorq.runtime import running
from actorq.settings import Settings, load

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

    from starlette.types import ASGIApp, Receive, Scope, Send

    from actorq.actors.messages import DispatcherMessage
    from actorq.backends.backend import Store
    from actorq.core.commands import Claim
    from actorq.core.job import Job
    from actorq.face import JobQueue
    from actorq.runtime import Runtime

MODE = sys.argv[1]
NOBODY = "00000000-0000-7000-8000-000000000000"


class EmptyBackend:
    """A connection to a store without jobs; it has what the running actors and this door ask for."""

    def check(self) -> Check:
        """Work, with a word for the operator."""
        return Check(now=wall_clock(), warnings=("made for tests",))

    def stirred(self) -> Sequence[Job]:
        """Have changed nothing."""
        return ()

    def promote_delayed(self, limit: int) -> Sweep:
        """Find nothing due."""
        del limit
        return Sweep()

    def fire_schedules(self, limit: int) -> Sweep:
        """Know of no schedule."""
        del limit
        return Sweep()

    def requeue_expired(self, limit: int) -> Sweep:
        """Find nothing expired."""
        del limit
        return Sweep()

    def prune(self, limit: int) -> tuple[int, None]:
        """Find nothing to prune."""
        del limit
        return 0, None

    def dequeue(self, claims: Sequence[Claim]) -> list[Claimed]:
        """Have no job for anybody."""
        return [Claimed() for _ in claims]

    def get_job(self, ids: Sequence[str]) -> list[None]:
        """Know no job; a frozen store never says so."""
        if MODE == "frozen":
            threading.Event().wait()
        return [None for _ in ids]

    def close(self) -> None:
        """Hold nothing."""


class EmptyStore:
    """A store without jobs, whose calls block like those of a real one."""

    inline = False
    max_writers = 1
    id_tail = None

    def open(self) -> Check:
        """Open, or not."""
        if MODE == "unavailable":
            raise BackendUnavailable("the store is away\nfor now")
        return self.connect().check()

    def connect(self) -> EmptyBackend:
        """Open one more connection."""
        return EmptyBackend()

    def listen(self) -> None:
        """Have no news."""

    def close(self) -> None:
        """Hold nothing."""


def open_runtime(settings: Settings) -> AbstractAsyncContextManager[Runtime]:
    """Run the actors on the odd store instead of the one that the settings name."""
    return running(cast("Store", EmptyStore()), serve.runtime_options(settings), log_crash)


def make_app(queue: JobQueue, settings: Settings) -> ASGIApp:
    """Make the door."""
    del settings

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        sys.stdout.write("taken\n")
        sys.stdout.flush()
        match scope["path"]:
            case "/get":
                await queue.get_job(NOBODY)
            case "/poll":
                assert await queue.dequeue("mail", wait=20.0) is None
            case "/crash":
                await crash(queue)
            case _:
                await anyio.sleep_forever()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return app


async def crash(queue: JobQueue) -> Never:
    """Send the dispatcher what it does not know, one by one, until it is not started again."""
    # There is no public way to make an actor crash.
    post = queue._post  # noqa: SLF001 - see above # pyright: ignore[reportPrivateUsage]
    while True:
        post.send(cast("DispatcherMessage", object()))
        await anyio.sleep(0.001)


def main() -> int:
    """Serve with the settings of the environment."""
    settings = load({})
    logs.configure(settings.log_level, settings.log_format, color=False)
    return serve.run(settings, make_app, open_runtime)


if __name__ == "__main__":
    sys.exit(main())
