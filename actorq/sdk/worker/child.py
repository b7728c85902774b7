"""The child: a process that runs plain functions for a worker, one after the other.

``python -m actorq.sdk.worker.child PATHS``, where PATHS is the worker's module search path as JSON. Orders
come on its standard input; it ends with it. What functions print goes to the standard error stream.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from typing import TYPE_CHECKING, BinaryIO

from actorq.errors import NotFound
from actorq.sdk.context import Context
from actorq.sdk.json_types import NotJson
from actorq.sdk.worker.endings import Ending, Failed, raised, returned
from actorq.sdk.worker.frames import HEAD, ORDERS, Ask, Found, Order, Progress, encode
from actorq.sdk.worker.places import Place, find

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from actorq.core.job import Job
    from actorq.sdk.task import Task


Orders = queue.SimpleQueue[Order | Found]


class PipeLink:
    """Speaks with the worker. Nobody need ask whether to stop: a child that is to stop is killed."""

    is_stopping = False

    def __init__(self, answers: BinaryIO, orders: Orders) -> None:
        """Write to ``answers``; what is asked for comes with the ``orders``."""
        self._answers = answers
        self._orders = orders

    async def report(self, progress: str, /) -> None:
        """Do the same as from a thread: nothing else runs here."""
        self.report_from_thread(progress)

    def report_from_thread(self, progress: str, /) -> None:
        """Send progress to the worker."""
        self._answers.write(encode(Progress(progress)))
        self._answers.flush()

    async def jobs(self, job_ids: Sequence[str], /) -> list[Job]:
        """Do the same as from a thread."""
        return self.jobs_from_thread(job_ids)

    def jobs_from_thread(self, job_ids: Sequence[str], /) -> list[Job]:
        """Ask the worker for jobs."""
        self._answers.write(encode(Ask(tuple(job_ids))))
        self._answers.flush()
        found = self._orders.get()
        assert isinstance(found, Found)
        if found.missing is not None:
            raise NotFound(found.missing)
        return list(found.jobs)


def main() -> None:
    """Run orders until there are no more."""
    # The worker says when it is time to stop, by closing the pipe, and kills what it cannot wait for.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.path[:] = json.loads(sys.argv[1])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    orders: Orders = queue.SimpleQueue()
    threading.Thread(target=_read, args=(orders,), daemon=True).start()
    tasks: dict[Place, Task[..., Any]] = {}
    while True:
        order = orders.get()
        assert isinstance(order, Order)
        answers.write(encode(_run(order, tasks, PipeLink(answers, orders))))
        answers.flush()


def _read(orders: Orders) -> None:
    """Take orders, and end the process with its worker, whatever it is doing."""
    source = sys.stdin.buffer
    while len(head := source.read(HEAD)) == HEAD:
        orders.put(ORDERS.decode(source.read(int.from_bytes(head, "big"))))
    os._exit(0)


def _run(order: Order, tasks: dict[Place, Task[..., Any]], link: PipeLink) -> Ending:
    try:
        if order.place not in tasks:
            tasks[order.place] = find(order.place)
        definition = tasks[order.place].definition
        bound = definition.signature.arguments.read(order.arguments)
        context = Context(order.job, link)
        injected = dict.fromkeys(definition.signature.injected, context)
        return returned(definition.function(*bound.args, **bound.kwargs, **injected))
    except NotJson as error:
        return Failed(f"the arguments do not fit: {error}")
    except BaseException as error:  # noqa: BLE001 - nothing that a handler raises ends a child
        return raised(error)


if __name__ == "__main__":
    main()
