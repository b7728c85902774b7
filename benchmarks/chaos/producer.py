"""A producer: asks for jobs at a steady rate, and repeats what is open until it is answered.

``python -m benchmarks.chaos.producer ORDER``
"""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Final

from actorq.testing.invariants.events import Accepted, Event, Refused, Submit, Unknown
from benchmarks.chaos import door
from benchmarks.chaos.crew import main
from benchmarks.chaos.mix import Mix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.chaos.crew import Crew
    from benchmarks.chaos.door import Answer, Client, Part
    from benchmarks.chaos.mix import Wish
    from benchmarks.chaos.notes import Maker, Notes

THREADS: Final = 8
_SIZES: Final = (1, 1, 1, 1, 1, 2, 5, 10)
"""How many jobs one request asks for."""

_MOST_BEHIND_S: Final = 5.0
"""How much of what could not be asked for in time is asked for later."""


class Producer:
    """Threads that each see the jobs of one request through, as often as it has to be sent."""

    def __init__(self, crew: Crew) -> None:
        """Make what the threads share."""
        self._crew = crew
        # Small: while nobody answers, nothing piles up.
        self._requests: queue.Queue[list[Wish]] = queue.Queue(THREADS)

    def run(self) -> None:
        """Ask until it is time to stop; then bring what was begun to its end."""
        threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(THREADS)]
        for thread in threads:
            thread.start()
        self._pace()
        for _ in threads:
            self._requests.put([])
        for thread in threads:
            thread.join()

    def _pace(self) -> None:
        """Hand out requests at the rate of jobs that was ordered."""
        order, draw = self._crew.order, self._crew.draw("sizes")
        mix = Mix(f"{order.seed} {order.name}")
        due = time.monotonic()
        while not self._crew.stopping.is_set():
            size = draw.choice(_SIZES)
            due = max(due + size / order.rate, time.monotonic() - _MOST_BEHIND_S)
            self._crew.stopping.wait(max(0.0, due - time.monotonic()))
            self._requests.put([mix.next() for _ in range(size)])

    def _ask(self, number: int) -> None:
        client = self._crew.client(f"asking {number}")
        while wishes := self._requests.get():
            see_through(client, self._crew.notes, wishes)
            see_through(client, self._crew.notes, [wish for wish in wishes if wish.is_repeated])
        client.close()


def see_through(client: Client, notes: Notes, wishes: Sequence[Wish]) -> None:
    """Ask for jobs until each was answered for certain."""
    while wishes:
        calls = [notes.call() for _ in wishes]
        notes.note(*(_submit(call, wish) for call, wish in zip(calls, wishes, strict=True)))
        answer = _send(client, wishes)
        parts = _parts(answer, len(wishes))
        notes.note(*(_outcome(call, part) for call, part in zip(calls, parts, strict=True)))
        wishes = [
            wish
            for wish, part in zip(wishes, parts, strict=True)
            if part is None or part.is_open or part.is_put_off
        ]
        if wishes:
            client.rest(answer)


def _send(client: Client, wishes: Sequence[Wish]) -> Answer | None:
    if len(wishes) == 1:
        return client.call("POST", "/jobs", wishes[0].body(), key=wishes[0].key)
    jobs = [{**wish.body(), "idempotency_key": wish.key} for wish in wishes]
    return client.call("POST", "/jobs/batch", {"jobs": jobs})


def _parts(answer: Answer | None, count: int) -> Sequence[Part | None]:
    if answer is None:
        return [None] * count
    return [door.alone(answer)] if count == 1 else door.together(answer, count)


def _submit(call: str, wish: Wish) -> Maker:
    return lambda at, actor: Submit(at=at, actor=actor, call=call, request=wish.request())


def _outcome(call: str, part: Part | None) -> Maker:
    """Make the event of an answer, or of none."""

    def make(at: float, actor: str) -> Event:
        if part is None or part.is_open:
            return Unknown(at=at, actor=actor, call=call)
        job = part.job
        if job is None:
            return Refused(at=at, actor=actor, call=call, code=part.code)
        return Accepted(
            at=at,
            actor=actor,
            call=call,
            job_id=job.id,
            status=job.status,
            outcome="duplicate" if job.duplicate else "created",
            replayed=part.replayed,
        )

    return make


if __name__ == "__main__":
    main(lambda crew: Producer(crew).run())
