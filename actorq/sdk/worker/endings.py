"""How handlers end, as values: what they returned or raised, and what is settled because of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec

from actorq.core.commands import Ack, Fail, Release
from actorq.core.job import Delivery
from actorq.core.retry import Failure
from actorq.sdk.json_types import NotJson, write
from actorq.sdk.verdicts import Reject, Retry, Snooze
from actorq.sdk.worker.failures import describe, verdict_of

if TYPE_CHECKING:
    from actorq.sdk.codec import Codecs
    from actorq.sdk.door import Settling
    from actorq.sdk.worker.hold import Hold


class Returned(msgspec.Struct, frozen=True, tag=True):
    """It returned a value, here as JSON; None stands for None."""

    result: str | None = None


class Failed(msgspec.Struct, frozen=True, tag=True):
    """It failed. ``retry_in`` (seconds) stands in for the backoff; without ``retryable`` that was all."""

    reason: str
    retryable: bool = True
    retry_in: float | None = None


class Snoozed(msgspec.Struct, frozen=True, tag=True):
    """It was put off for ``delay`` seconds."""

    delay: float


Ending: TypeAlias = Returned | Failed | Snoozed

NOTHING = Returned()
"""What most handlers return."""


def returned(value: object) -> Ending:
    """Return the ending of a handler that returned ``value``."""
    if value is None:
        return NOTHING
    try:
        return Returned(write(value).decode())
    except NotJson as error:
        # It was done, and to do it again would not help.
        return Failed(f"the result cannot be JSON: {error}", retryable=False)


def raised(error: BaseException) -> Ending:
    """Return the ending of a handler that raised ``error``."""
    match verdict_of(error):
        case Retry() as verdict:
            return Failed(describe(verdict), retry_in=verdict.after)
        case Reject() as verdict:
            return Failed(describe(verdict), retryable=False)
        case Snooze() as verdict:
            return Snoozed(verdict.delay)
        case _:
            return Failed(describe(error))


def settling(hold: Hold, ending: Ending, codecs: Codecs) -> Settling:
    """Return what the queue is told."""
    job_id, token = hold.job.id, hold.token
    match ending:
        case Returned(result):
            kept = None if result is None else codecs.result(result.encode())
            return Ack(job_id, token, kept)
        case Failed(reason, retryable, retry_in):
            return Fail(job_id, token, Failure(reason, retryable, retry_in))
        case Snoozed(delay):
            if hold.started and hold.job.delivery is Delivery.AT_MOST_ONCE:
                reason = "an at-most-once job that was started cannot be put off"
                return Fail(job_id, token, Failure(reason, retryable=False))
            return Release(job_id, token, delay)
