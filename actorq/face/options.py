"""What a caller may say of a job besides its queue and its payload."""

from collections.abc import Sequence
from typing import Literal, TypedDict

from actorq.core.job import Backoff, Delivery, OnDuplicate
from actorq.core.workflow import OnParentFailure, Parent


class EnqueueOptions(TypedDict, total=False):
    """Options of ``enqueue`` and ``new_job``; each may be left out.

    ``priority`` has 32 bits, signed: higher goes first. ``max_retries`` are those after the first attempt,
    0 to 1000, 3 by default; ``backoff`` says how long before each. ``delay`` (seconds) and
    ``available_at`` (instant) exclude each other: the job is held back until then. It is not started
    after ``expires_at`` (instant). ``timeout`` (seconds), ``task`` and ``metadata`` (up to 64 texts) are
    notes for whoever works on it. ``dedupe_key`` is what at most one live job of the queue has, and
    ``dedupe_window`` (seconds) holds it longer; ``on_duplicate`` says what an enqueue gets that
    meets it. ``idempotency_key`` names this very request, within its ``caller``.

    ``depends_on`` are the jobs whose ends it waits for, up to 1000: each its id, or the job itself, as it was
    answered or as ``new_job`` made it. They are there already, or stand earlier in the same batch. Should
    one of them not end completed, the job is cancelled; with ``on_parent_failure`` ``"run"`` it runs even so.

    An instant is an integer, microseconds since the Unix epoch: ``actorq.from_datetime`` makes it.
    """

    priority: int
    max_retries: int
    delivery: Delivery | Literal["at_least_once", "at_most_once"]
    delay: float | None
    available_at: int | None
    metadata: dict[str, str] | None
    task: str | None
    backoff: Backoff
    timeout: float | None
    expires_at: int | None
    dedupe_key: str | None
    dedupe_window: float
    on_duplicate: OnDuplicate | Literal["return", "reject", "replace"]
    idempotency_key: str | None
    caller: str
    depends_on: Sequence[Parent]
    on_parent_failure: OnParentFailure | Literal["cancel", "run"]
