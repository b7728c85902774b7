"""Settling: ack, fail and release, sent again and again until the answer is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from actorq.testing.invariants.events import (
    Event,
    Outcome,
    Refused,
    Settle,
    Settled,
    Unknown,
    digest,
)
from benchmarks.chaos import door
from benchmarks.chaos.door import UnexpectedError

if TYPE_CHECKING:
    from actorq.testing.invariants.events import Action
    from benchmarks.chaos.door import Client, Part
    from benchmarks.chaos.notes import Maker, Notes
    from benchmarks.chaos.shown import ShownJob

_OUTCOMES: Final[dict[str, Outcome]] = {
    "lease_lost": "lease_lost",
    "not_leased": "not_leased",
    "not_found": "not_found",
}


def settle(client: Client, notes: Notes, job: ShownJob, action: Action, delay: float = 0.0) -> None:
    """Settle a job that was claimed; ``delay`` is that of a release."""
    body: dict[str, object] = {"lease": job.token}
    result: str | None = None
    if action == "ack":
        # The token as the result tells afterwards whose word it was.
        body["result"] = job.token
        result = digest(msgspec.json.encode(job.token))
    elif action == "release" and delay:
        body["delay"] = delay
    part: Part | None = None
    while part is None or part.is_open or part.is_put_off:
        call = notes.call()
        notes.note(_settle(call, job, action, result, delay))
        answer = client.call("POST", f"/jobs/{job.id}/{action}", body)
        part = None if answer is None else door.alone(answer)
        notes.note(_outcome(call, part))
        if part is None or part.is_open or part.is_put_off:
            client.rest(answer)


def _settle(call: str, job: ShownJob, action: Action, result: str | None, delay: float) -> Maker:
    return lambda at, actor: Settle(
        at=at,
        actor=actor,
        call=call,
        job_id=job.id,
        action=action,
        token=job.token,
        result=result,
        delay=delay,
    )


def _outcome(call: str, part: Part | None) -> Maker:
    """Make the event of an answer, or of none."""

    def make(at: float, actor: str) -> Event:
        if part is None or part.is_open:
            return Unknown(at=at, actor=actor, call=call)
        if part.is_put_off:
            return Refused(at=at, actor=actor, call=call, code=part.code)
        if part.job is not None:
            return Settled(at=at, actor=actor, call=call, outcome="ok", seen=part.job.seen())
        if part.code not in _OUTCOMES:
            raise UnexpectedError(f"{part.status} {part.code}")
        return Settled(at=at, actor=actor, call=call, outcome=_OUTCOMES[part.code])

    return make
