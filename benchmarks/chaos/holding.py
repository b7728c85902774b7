"""Holding: the leases of a worker, renewed from a thread that its handlers cannot starve."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from actorq.testing.invariants.events import Event, Renew, Renewed, Unknown
from benchmarks.chaos.door import OK, UNAVAILABLE, UnexpectedError

if TYPE_CHECKING:
    from benchmarks.chaos.crew import Crew
    from benchmarks.chaos.door import Answer
    from benchmarks.chaos.notes import Maker
    from benchmarks.chaos.shown import ShownJob

_SHARE: Final = 3
"""A lease is renewed at this part of it."""


class _Held(msgspec.Struct):
    id: str
    status: Literal["ok", "lost", "cancel"]
    visibility_timeout: float | None = None


class _Beat(msgspec.Struct):
    leases: list[_Held]
    directive: Literal["continue", "drain"]


_beat: Final = msgspec.json.Decoder(_Beat)


class Holding:
    """What a worker holds, and the thread that renews it in one request."""

    def __init__(self, crew: Crew) -> None:
        """Hold nothing."""
        self._crew = crew
        self._notes = crew.notes
        self._lock = threading.Lock()
        self._held: dict[str, ShownJob] = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """Begin to renew."""
        self._thread.start()

    def finish(self) -> None:
        """Renew no more."""
        self._done.set()
        self._thread.join()

    def take(self, job: ShownJob) -> None:
        """Hold a job from now on."""
        with self._lock:
            self._held[job.token] = job

    def drop(self, job: ShownJob) -> None:
        """Hold it no more."""
        with self._lock:
            del self._held[job.token]

    def _run(self) -> None:
        order, client = self._crew.order, self._crew.client("renewing")
        every = pause = order.lease / _SHARE
        while not self._done.wait(pause):
            with self._lock:
                jobs = list(self._held.values())
            pause = every
            if not jobs:
                continue
            calls = [self._notes.call() for _ in jobs]
            self._notes.note(*(_renew(c, job) for c, job in zip(calls, jobs, strict=True)))
            leases = [{"id": job.id, "lease": job.token} for job in jobs]
            path = f"/workers/{order.name}/heartbeat"
            answer = client.call("POST", path, {"leases": leases}, patience=every)
            self._notes.note(*_outcomes(calls, answer))
            if answer is None:
                # There is time for another server before the leases end.
                pause = 0.0
        client.close()


def _renew(call: str, job: ShownJob) -> Maker:
    return lambda at, actor: Renew(at=at, actor=actor, call=call, job_id=job.id, token=job.token)


def _outcomes(calls: list[str], answer: Answer | None) -> list[Maker]:
    """Make the events of an answer, or of none."""
    if answer is None or answer.status == UNAVAILABLE:
        return [_unknown(call) for call in calls]
    if answer.status != OK:
        raise UnexpectedError(f"{answer.status} {answer.problem().code}")
    beat = _beat.decode(answer.body)
    return [_renewed(c, held, beat) for c, held in zip(calls, beat.leases, strict=True)]


def _unknown(call: str) -> Maker:
    return lambda at, actor: Unknown(at=at, actor=actor, call=call)


def _renewed(call: str, held: _Held, beat: _Beat) -> Maker:
    def make(at: float, actor: str) -> Event:
        return Renewed(
            at=at,
            actor=actor,
            call=call,
            outcome="lease_lost" if held.status == "lost" else "ok",
            visibility=held.visibility_timeout,
            directive="cancel" if held.status == "cancel" else beat.directive,
        )

    return make
