"""A worker: claims jobs, does them, renews what it holds, and settles until it is answered.

It trusts nothing but its tokens: it starts what it was given and settles what it did also after a
pause in which its lease has ended. The store has to refuse that. ``python -m benchmarks.chaos.worker ORDER``
"""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from actorq.testing.invariants.events import (
    Claim,
    Claimed,
    Effect,
    End,
    Start,
    Unknown,
)
from benchmarks.chaos.crew import main
from benchmarks.chaos.door import NO_CONTENT, OK, PATIENCE_S, UNAVAILABLE, UnexpectedError
from benchmarks.chaos.holding import Holding
from benchmarks.chaos.mix import task_of
from benchmarks.chaos.settling import settle
from benchmarks.chaos.shown import ShownJob

if TYPE_CHECKING:
    from random import Random

    from actorq.testing.invariants.events import Action
    from benchmarks.chaos.crew import Crew
    from benchmarks.chaos.door import Client

WAIT_S: Final = 2.0
_IDLE_S: Final = 0.1
_HANDED_BACK: Final = 0.01
_MOST_POSTPONED_S: Final = 0.5
_REPEATED: Final = 0.03

_jobs: Final = msgspec.json.Decoder(list[ShownJob])


class Worker:
    """One thread claims, one renews, and each slot has one that does jobs."""

    def __init__(self, crew: Crew) -> None:
        """Make what the threads share."""
        self._crew = crew
        self._notes = crew.notes
        self._free = threading.Semaphore(crew.order.slots)
        self._todo: queue.Queue[ShownJob | None] = queue.Queue(crew.order.slots)
        self._holding = Holding(crew)

    def run(self) -> None:
        """Work until it is time to stop; then finish what has begun, and hand back the rest."""
        slots = [
            threading.Thread(target=self._work, args=(n,)) for n in range(self._crew.order.slots)
        ]
        for slot in slots:
            slot.start()
        self._holding.start()
        client = self._crew.client("claiming")
        while not self._crew.stopping.is_set():
            self._claim(client)
        client.close()
        for _ in slots:
            self._todo.put(None)
        for slot in slots:
            slot.join()
        self._holding.finish()

    def _claim(self, client: Client) -> None:
        """Ask for as many jobs as there are free slots."""
        slots = self._take_slots()
        if not slots:
            return
        order, notes, call = self._crew.order, self._notes, self._notes.call()
        wish = {"worker_id": order.name, "visibility_timeout": order.lease, "wait": WAIT_S}
        notes.note(
            lambda at, actor: Claim(
                at=at,
                actor=actor,
                call=call,
                queue=order.queue,
                slots=slots,
                wait=WAIT_S,
                visibility=order.lease,
            )
        )
        path = f"/queues/{order.queue}/dequeue"
        answer = client.call("POST", path, {**wish, "max": slots}, patience=WAIT_S + PATIENCE_S)
        jobs: list[ShownJob] = []
        if answer is None or answer.status == UNAVAILABLE:
            notes.note(lambda at, actor: Unknown(at=at, actor=actor, call=call))
        elif answer.status in {OK, NO_CONTENT}:
            jobs = _jobs.decode(answer.body) if answer.status == OK else []
            taken = tuple(job.taken() for job in jobs)
            notes.note(lambda at, actor: Claimed(at=at, actor=actor, call=call, jobs=taken))
        else:
            raise UnexpectedError(f"{answer.status} {answer.problem().code}")
        for job in jobs:
            self._holding.take(job)
            self._todo.put(job)
        for _ in range(slots - len(jobs)):
            self._free.release()
        if answer is not None and answer.status == UNAVAILABLE:
            client.rest(answer)

    def _take_slots(self) -> int:
        """Take all slots that are free; none if none becomes free in a moment."""
        if not self._free.acquire(timeout=_IDLE_S):
            return 0
        slots = 1
        while self._free.acquire(blocking=False):
            slots += 1
        return slots

    # ── a slot ──────────────────────────────────────────────────────────────────────────────────

    def _work(self, number: int) -> None:
        client, draw = self._crew.client(f"slot {number}"), self._crew.draw(f"work {number}")
        while (job := self._todo.get()) is not None:
            self._do(client, draw, job)
            self._holding.drop(job)
            self._free.release()
        client.close()

    def _do(self, client: Client, draw: Random, job: ShownJob) -> None:
        """Take a job through its handler and settle it; now and then hand it back unstarted."""
        if self._crew.stopping.is_set() or draw.random() < _HANDED_BACK:
            delay = draw.choice((0.0, draw.uniform(0.05, _MOST_POSTPONED_S)))
            settle(client, self._notes, job, "release", delay)
            return
        action = self._handle(job)
        settle(client, self._notes, job, action)
        if draw.random() < _REPEATED:
            # As one does whose answer was lost: the same token is told the same again.
            settle(client, self._notes, job, action)

    def _handle(self, job: ShownJob) -> Action:
        """Do what the payload says; what comes of it stands in the notes, not in actorq."""
        job_id, attempt, token = job.id, job.attempt, job.token
        self._notes.note(
            lambda at, by: Start(at=at, actor=by, job_id=job_id, attempt=attempt, token=token)
        )
        task = task_of(job.payload)
        time.sleep(task.seconds)
        how: Literal["returned", "raised"] = "raised" if attempt <= task.failures else "returned"
        if how == "returned":
            self._notes.note(
                lambda at, by: Effect(at=at, actor=by, job_id=job_id, attempt=attempt, token=token)
            )
        self._notes.note(
            lambda at, by: End(
                at=at, actor=by, job_id=job_id, attempt=attempt, token=token, how=how
            )
        )
        return "ack" if how == "returned" else "fail"


if __name__ == "__main__":
    main(lambda crew: Worker(crew).run())
