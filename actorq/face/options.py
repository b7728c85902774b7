"""What a caller may say of a job besides its queue and its payload."""

from typing import TypedDict

from actorq.core.job import Backoff, Delivery, OnDuplicate


class EnqueueOptions(TypedDict, total=False):
    """Options of ``enqueue``; bounds and meaning in contract section 1.

    ``delay``, ``timeout`` and ``dedupe_window`` are seconds; ``available_at`` and ``expires_at`` are
    microseconds since the epoch. ``caller`` scopes the idempotency key.
    """

    priority: int
    max_retries: int
    delivery: Delivery
    delay: float | None
    available_at: int | None
    metadata: dict[str, str] | None
    task: str | None
    backoff: Backoff
    timeout: float | None
    expires_at: int | None
    dedupe_key: str | None
    dedupe_window: float
    on_duplicate: OnDuplicate
    idempotency_key: str | None
    caller: str
