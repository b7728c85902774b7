"""Leases and fencing: whose word counts, and for how long (contract §4)."""

from enum import Enum, auto

from msgspec.structs import replace

from actorq.core.instants import SECOND_US, to_us
from actorq.core.job import Job, Lease, Settlement
from actorq.core.policy import Policy
from actorq.core.transitions import Status


class Standing(Enum):
    """What a token is worth against the record of its job."""

    HOLDER = auto()
    """It is the current lease's, and the job runs: its word counts."""
    REPEAT = auto()
    """This very token settled the job in this very way: say so again, change nothing."""
    LOST = auto()
    """The lease is another's, or over: change nothing."""
    NOT_LEASED = auto()
    """No token was shown, and there is no lease that a bare call could mean."""


def standing(job: Job, token: str | None, settlement: Settlement | None) -> Standing:
    """Judge ``token`` against ``job``; ``settlement`` is None for calls that settle nothing.

    A repeat is the same call again: a token that failed its job cannot acknowledge it afterwards.
    """
    if job.status is Status.RUNNING and job.lease is not None:
        if token is None or job.lease.token == token:
            return Standing.HOLDER
    elif token is None:
        return Standing.NOT_LEASED
    if settlement is not None and job.settled_token == token and job.settled_by is settlement:
        return Standing.REPEAT
    return Standing.LOST


def grant(token: str, worker_id: str, visibility_timeout: float, now: int) -> Lease:
    """Make the lease of a claim at the store's instant ``now``."""
    expires_at = now + to_us(visibility_timeout)
    return Lease(token, worker_id, now, expires_at, visibility_timeout)


def extended(lease: Lease, visibility_timeout: float | None, now: int, policy: Policy) -> Lease:
    """Renew ``lease`` from ``now`` on; the token stays, and so does the bound since the claim.

    A lease is never made to end later than ``policy.max_extension`` seconds after its claim (or than
    the claim itself was granted), so a handler that hangs for ever is found out. What is left of
    that is granted, and ``visibility_timeout`` says how much it was: the holder counts by it.
    """
    longest = to_us(max(policy.max_extension, lease.visibility_timeout))
    left = min(max(0, lease.claimed_at + longest - now), longest)
    seconds = lease.visibility_timeout if visibility_timeout is None else visibility_timeout
    if to_us(seconds) > left:
        seconds = left / SECOND_US
    expires_at = now + to_us(seconds)
    return Lease(lease.token, lease.worker_id, lease.claimed_at, expires_at, seconds)


def hidden(job: Job) -> Job:
    """Return the record as anybody may see it: who holds the lease and until when, and an empty token."""
    return job if job.lease is None else replace(job, lease=replace(job.lease, token=""))
