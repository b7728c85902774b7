"""The leash: a pipe from the process that started this one. Whoever holds the other end may die."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Final

import anyio
import anyio.abc

if TYPE_CHECKING:
    from actorq.cli.stopping import Stopping

STOP: Final = b"."
"""What comes through the pipe when it is time to stop."""

HURRY: Final = b"!"
"""What comes through the pipe when there is no more time."""

_END: Final = 0
"""The descriptor of standard input, which is the leash."""


async def hold_leash(
    stopping: Stopping, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED
) -> None:
    """Stop when the pipe says so, or ends, and at a signal; hurry when the pipe says that.

    A second signal means nothing here: a terminal or a service manager may send each to all processes, and
    the one at the other end passes it on as well.
    """
    async with anyio.create_task_group() as tasks:
        await tasks.start(_heed_signals, stopping)
        tasks.start_soon(_heed_pipe, stopping)
        task_status.started()


async def _heed_signals(
    stopping: Stopping, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED
) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for number in signals:
            stopping.ask(signal.Signals(number).name)


async def _heed_pipe(stopping: Stopping) -> None:
    os.set_blocking(_END, False)
    while True:
        await anyio.wait_readable(_END)
        said = os.read(_END, 1)
        stopping.ask("leash")
        if not said:
            return
        if said == HURRY:
            stopping.hasten("leash", signal.SIGTERM)
