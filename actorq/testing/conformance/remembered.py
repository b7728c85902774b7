"""What the ledger remembers of a request with an idempotency key."""

from typing import NamedTuple

from actorq.core.results import Outcome


class Remembered(NamedTuple):
    """One idempotency record; ``until`` is the instant at which it is forgotten."""

    fingerprint: str
    job_id: str
    queue_name: str
    created_at: int
    outcome: Outcome
    until: int
