"""The bounds of the HTTP door."""

from __future__ import annotations

from dataclasses import dataclass, field

from actorq.http.limits import BodyLimits

_MIB = 1_048_576


@dataclass(frozen=True, slots=True, kw_only=True)
class AppOptions:
    """What one application allows; times in seconds, sizes in bytes.

    ``body`` bounds the body of one request; ``max_batch`` the jobs or items in it; ``max_requests``
    the requests that are answered at once, waiting ones included; ``max_waiters`` those that wait
    for a job or a change. ``require_lease_token`` refuses to settle a job without the token of its lease.
    How long the store may take over a request is the runtime's ``Options.patience``.
    """

    body: BodyLimits = field(default_factory=lambda: BodyLimits(max_body=16 * _MIB))
    max_batch: int = 1_000
    max_requests: int = 5_000
    max_waiters: int = 1_000
    require_lease_token: bool = False
