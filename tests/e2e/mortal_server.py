"""``actorq serve`` that is killed when a request says so, by its header ``Die``: for tests of lost answers.

``Die: before`` kills the process when the request's body is first asked for, ``Die: after`` when its answer
is about to be written, and ``Die: 0.01`` so many seconds after it began, wherever it is by then.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from actorq import logs
from actorq.cli import serve
from actorq.http import create_app
from actorq.settings import Settings, load

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from actorq.face import JobQueue


def die() -> None:
    """End this process as a crash would."""
    os.kill(os.getpid(), signal.SIGKILL)


def make_app(queue: JobQueue, settings: Settings) -> ASGIApp:
    """Make the real application, with death around it."""
    del settings
    inner = create_app(queue)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        when = dict(scope["headers"]).get(b"die", b"").decode()

        async def receive_or_die() -> Message:
            if when == "before":
                die()
            return await receive()

        async def send_or_die(message: Message) -> None:
            if when == "after":
                die()
            await send(message)

        if when and when not in {"before", "after"}:
            threading.Timer(float(when), die).start()
        await inner(scope, receive_or_die, send_or_die)

    return app


def main() -> int:
    """Serve with the settings of the environment."""
    settings = load({})
    logs.configure(settings.log_level, settings.log_format, color=False)
    return serve.run(settings, make_app)


if __name__ == "__main__":
    sys.exit(main())
