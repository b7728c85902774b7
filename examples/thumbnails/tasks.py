"""The task: one thumbnail, in a process of its own, with progress."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from actorq import App, Context, Reject, injected
from examples.thumbnails import images

app = App()

STEPS = 10
"""How often a handler tells how far it is."""


@dataclass
class Thumbnail:
    """What became of a picture."""

    path: str
    width: int
    height: int


# Shrinking computes all the time: in a thread it would hold up everything else in the worker.
@app.task(queue="thumbnails", max_retries=3, timeout="5m", processes=True)
def shrink(source: str, target: str, width: int = 64, *, context: Context = injected) -> Thumbnail:
    """Write a thumbnail of ``source`` to ``target``; to do it twice does no harm."""

    def tell(done: int, of: int) -> None:
        if done * STEPS // of > (done - 1) * STEPS // of:
            context.report_from_thread({"percent": 100 * done // of})

    try:
        picture = images.read(Path(source))
    except images.NotAnImage as error:
        # Another try would find the same file.
        raise Reject(str(error)) from error
    small = images.shrink(picture, width, tell)
    images.write(small, Path(target))
    return Thumbnail(target, small.width, small.height)
