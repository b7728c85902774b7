"""A worker over plain HTTP that dies or freezes at the moment that its arguments name.

Arguments: the server's address, the queue, a file for notes, the moment, and how it goes: ``die`` or
``freeze``. It takes one job, notes what it does as JSON, one object a line, and, if it lives again
after having been frozen, tries everything that only the holder of the lease may do.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tests.e2e.server_process import call
from tests.e2e.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Callable

VISIBILITY_S = 1
MOMENTS = ("claimed", "working", "done")


class Worker:
    """Takes one job and comes to its end."""

    def __init__(self, url: str, notes: Path, moment: str, go: Callable[[], None]) -> None:
        self._url = url
        self._notes = notes
        self._moment = moment
        self._go = go

    def run(self, queue: str) -> None:
        """Claim, start, do, and settle; go at the moment named."""
        wish = {"worker_id": f"pid-{os.getpid()}", "visibility_timeout": VISIBILITY_S, "wait": 20}
        status, answer = call(self._url, "POST", f"/queues/{queue}/dequeue", wish)
        assert status == 200, (status, answer)
        job = msgspec.convert(answer, Shown)
        self._note("claimed", job)
        self._note("working", job)
        self._note("done", job)
        for action in ("extend", "fail", "progress", "release", "ack"):
            lease: dict[str, object] = {"lease": job.token}
            if action == "progress":
                lease["progress"] = "half"
            status, _ = call(self._url, "POST", f"/jobs/{job.id}/{action}", lease)
            self._note(f"{action} {status}", job)

    def _note(self, what: str, job: Shown) -> None:
        """Write down what happens, outside of this process, and go if it is time."""
        note = {"what": what, "id": job.id, "attempt": job.attempt, "token": job.token}
        with self._notes.open("a", encoding="utf-8") as file:
            file.write(json.dumps(note) + "\n")
        if what == self._moment:
            self._go()


def go(how: str) -> None:
    """Send this process the signal that nothing can be done about."""
    os.kill(os.getpid(), signal.SIGKILL if how == "die" else signal.SIGSTOP)


def main() -> None:
    """Be the worker that the arguments describe."""
    url, queue, notes, moment, how = sys.argv[1:]
    Worker(url, Path(notes), moment, lambda: go(how)).run(queue)


if __name__ == "__main__":
    main()
