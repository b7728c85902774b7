"""Tenure: a lease, as the claiming script puts it behind a state."""

from __future__ import annotations

from typing import Final

import msgspec

from actorq.core.job import Lease


class Tenure(msgspec.Struct, array_like=True, frozen=True):
    """A lease. The token is the last of all, where a script can compare it."""

    claimed_at: int
    expires_at: int
    worker_id: str
    visibility_timeout: float
    token: str


_encode: Final = msgspec.msgpack.Encoder().encode


def encode_lease(lease: Lease) -> bytes:
    """Return a lease as it is kept."""
    times = lease.claimed_at, lease.expires_at
    return _encode(Tenure(*times, lease.worker_id, lease.visibility_timeout, lease.token))


def lease_of(tenure: Tenure) -> Lease:
    """Return a lease that was kept."""
    times = tenure.claimed_at, tenure.expires_at
    return Lease(tenure.token, tenure.worker_id, *times, tenure.visibility_timeout)
