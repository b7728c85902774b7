"""A hold: one job in a worker's hands, from its claim to the end of its lease."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING

from actorq.core.commands import Extend
from actorq.sdk.door import Held, Renewal

if TYPE_CHECKING:
    import anyio

    from actorq.core.job import Job

RENEW_AT = 1 / 3
"""The share of a lease after which it is renewed."""


class Why(StrEnum):
    """Why a handler is to stop although it has not ended."""

    LOST = "lease lost"
    """The store says that the lease is another's, or over."""
    OVERDUE = "lease overdue"
    """It could not be renewed in time, by this holder's own count; nobody knows whose it is."""
    CANCEL = "cancelled"
    SHUTDOWN = "shutdown"


class Hold:
    """A job and its lease, counted on this worker's monotonic clock.

    The keeper writes the times and ``stopping`` under the book's lock; all else belongs to the loop.
    """

    __slots__ = (
        "deadline",
        "expires",
        "job",
        "renew_at",
        "scope",
        "settling",
        "spoilt",
        "started",
        "stopping",
        "token",
        "visibility_timeout",
    )

    def __init__(self, job: Job, sent: float) -> None:
        """Hold a job whose claim was sent at ``sent``: its lease cannot end before it counts to its end."""
        assert job.lease is not None
        self.job = job
        self.token = job.lease.token
        self.deadline = math.inf
        """When the handler's time is over, on the system's monotonic clock."""
        self.scope: anyio.CancelScope | None = None
        self.stopping: Why | None = None
        self.started = False
        """Whether the handler was called: only then can it have had an effect."""
        self.settling = False
        """Whether its settlement is on the way; until the answer it is renewed all the same."""
        self.spoilt = False
        """Whether the handler left its task in a state in which it should not run another job."""
        self.visibility_timeout = self.expires = self.renew_at = 0.0
        self.count(sent, job.lease.visibility_timeout)

    def count(self, sent: float, visibility_timeout: float) -> None:
        """Count the lease anew, from the moment ``sent``."""
        self.visibility_timeout = visibility_timeout
        self.expires = sent + visibility_timeout
        self.renew_at = sent + visibility_timeout * RENEW_AT

    def renewed(self, sent: float, lease: Renewal) -> None:
        """Read what a renewal that was sent at ``sent`` says of this lease."""
        if lease.status is Held.LOST:
            self.stopping = Why.LOST
            return
        self.count(sent, lease.visibility_timeout)
        if lease.status is Held.CANCEL and self.stopping is None:
            self.stopping = Why.CANCEL

    def extend(self) -> Extend:
        """Return the wish for as much time as before."""
        return Extend(self.job.id, self.token)

    def start(self) -> None:
        """Take note that the handler is being called."""
        self.started = True

    def stop(self, why: Why) -> None:
        """Stop the handler, from its event loop; what was said first holds."""
        if self.stopping is None:
            self.stopping = why
        if self.scope is not None:
            self.scope.cancel()
