"""The bounds and defaults that a whole installation shares."""

import msgspec

from actorq.core.transitions import Status

DAY_S = 86_400.0
"""Seconds in a day."""


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How long ended jobs are kept: seconds by status, and how many of each at most."""

    completed: float = 3_600.0
    dead: float = 14 * DAY_S
    cancelled: float = DAY_S
    max_completed: int = 1_000_000
    max_dead: int = 1_000_000
    max_cancelled: int = 1_000_000

    def rules(self) -> tuple[tuple[Status, float, int], ...]:
        """Return each ended status with its age in seconds and its number."""
        return (
            (Status.COMPLETED, self.completed, self.max_completed),
            (Status.DEAD, self.dead, self.max_dead),
            (Status.CANCELLED, self.cancelled, self.max_cancelled),
        )


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for every queue unless the queue says otherwise. Durations are seconds."""

    visibility_timeout: float = 30.0
    max_payload_bytes: int = 1_048_576
    max_expiries: int = 3
    max_interruptions: int = 100
    max_extension: float = 43_200.0
    idempotency_ttl: float = DAY_S
    retention: Retention = Retention()
