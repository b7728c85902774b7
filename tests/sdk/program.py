"""A program with tasks, as users write them; tests run it by ``actorq worker tests.sdk.program:app``."""

from __future__ import annotations

import os
import time

import anyio

from actorq import App, Context, injected

app = App()


def say(word: str, context: Context) -> None:
    """Print a line of one piece, whoever else prints."""
    os.write(1, f"{word} {context.job.id} {os.getpid()}\n".encode())


@app.task
async def nap(seconds: float, *, context: Context = injected) -> None:
    """Sleep as a handler does that waits for something."""
    say("start", context)
    await anyio.sleep(seconds)
    say("end", context)


@app.task
def block(seconds: float, *, context: Context = injected) -> None:
    """Sleep as a plain function does, which cannot be interrupted."""
    say("start", context)
    time.sleep(seconds)
    say("end", context)


@app.task
async def die(*, context: Context = injected) -> None:
    """Take the whole process along, once."""
    say("start", context)
    if context.job.attempt == 1:
        os._exit(9)
    say("end", context)
