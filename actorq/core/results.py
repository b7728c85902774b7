"""What a store answers, item by item. A refusal is a value of ``actorq.errors``."""

from enum import StrEnum

import msgspec

from actorq.core.job import Job


class Outcome(StrEnum):
    """What an accepted enqueue did."""

    CREATED = "created"
    DUPLICATE = "duplicate"
    """A job holds the dedupe key: it is the answer, unchanged."""
    REPLACED = "replaced"
    """A waiting job holds the dedupe key and took over payload, priority and due time."""


class Enqueued(msgspec.Struct, frozen=True):
    """The job that the request stands for; ``replayed`` when an idempotency key was seen before."""

    job: Job
    outcome: Outcome = Outcome.CREATED
    replayed: bool = False


class PrunedReplay(msgspec.Struct, frozen=True):
    """A replay whose job was pruned since: all that the idempotency record still knows."""

    id: str
    queue_name: str
    created_at: int
    outcome: Outcome = Outcome.CREATED


class Claimed(msgspec.Struct, frozen=True):
    """The jobs that a claim took, each with its lease; ``paused`` when the queue gives none out.

    ``limited`` when it might have given more, but for its ``max_running``.
    """

    jobs: tuple[Job, ...] = ()
    paused: bool = False
    limited: bool = False


class Settled(msgspec.Struct, frozen=True):
    """The job as it now stands; ``repeated`` when this very token had settled it so before."""

    job: Job
    repeated: bool = False


class Sweep(msgspec.Struct, frozen=True):
    """What a round of promotion or of reaping did.

    ``jobs`` are the records that changed, as they now stand. ``next_in`` is the seconds until
    the next one is due by the store's clock, None when none is known, 0 when the round was
    cut at its limit and more is due already.
    """

    jobs: tuple[Job, ...] = ()
    next_in: float | None = None


class Page(msgspec.Struct, frozen=True):
    """Some jobs, newest first; ``next_before`` continues the list, None at its end."""

    jobs: tuple[Job, ...]
    next_before: str | None = None


class Check(msgspec.Struct, frozen=True):
    """A store's word that it works: its clock now (instant), and what an operator should know."""

    now: int
    warnings: tuple[str, ...] = ()
