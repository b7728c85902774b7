"""Holds for tests: jobs that were claimed, and what may be said of them."""

from __future__ import annotations

from msgspec.structs import replace

from actorq.core.job import Delivery, Job, Lease, create
from actorq.core.transitions import Status
from actorq.sdk.worker.hold import Hold
from actorq.testing.clock import START_US
from tests.core.records import new


def claimed(
    number: int = 1, seconds: float = 30.0, delivery: Delivery = Delivery.AT_LEAST_ONCE
) -> Job:
    """Return a job as a claim gives it, under a lease of so many seconds."""
    job = create(new(f"018f0000-0000-7000-8000-{number:012}", delivery=delivery), START_US)
    lease = Lease(f"token-{number}", "w", START_US, START_US, seconds)
    return replace(job, status=Status.RUNNING, attempt=1, lease=lease)


def held(
    number: int = 1,
    sent: float = 0.0,
    seconds: float = 30.0,
    delivery: Delivery = Delivery.AT_LEAST_ONCE,
) -> Hold:
    """Return a hold whose claim was sent at the moment ``sent``."""
    return Hold(claimed(number, seconds, delivery), sent)
