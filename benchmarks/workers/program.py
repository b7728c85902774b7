"""The program whose tasks the workers of the benchmark run."""

from __future__ import annotations

import time
from typing import Final

import anyio

from actorq import App

QUEUE: Final = "bench"

app = App()


@app.task(queue=QUEUE)
async def nothing(to: str, template: str = "welcome", locale: str = "en") -> None:
    """Do nothing: what is left is what a job costs."""
    del to, template, locale


@app.task(queue=QUEUE)
async def nap(seconds: float) -> None:
    """Wait as a handler does that talks to somebody."""
    await anyio.sleep(seconds)


@app.task(queue=QUEUE)
async def block(seconds: float) -> None:
    """Hold up the whole event loop, as no handler should."""
    time.sleep(seconds)  # noqa: ASYNC251 - what is measured
