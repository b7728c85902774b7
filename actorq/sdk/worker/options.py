"""What may be said of a worker."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal, TypedDict

import msgspec

from actorq.core import bounds, intake
from actorq.errors import ActorqError, ConfigurationError
from actorq.sdk.durations import Duration, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CONCURRENCY: Final = 20
MOST_SLOTS: Final = 1_000
GRACE_S: Final = 25.0


class WorkerOptions(TypedDict, total=False):
    """Options of ``app.worker``; each may be left out.

    ``queues`` are those to take jobs from, all of the app's tasks by default; a map gives each its weight:
    of two that are full, one of weight 3 gets three jobs run for each of the other's. ``concurrency`` (20)
    is how many jobs run at a time, and how many are claimed: none waits here while another worker is free.

    ``visibility_timeout`` is how long a lease lasts without renewal, the queue's own by default. ``grace``
    (25 s) is how long stopping may take; handlers may run for four fifths of it. ``worker_id`` is random for
    each start by default, as it should be.

    ``renewal`` renews leases in a ``"thread"`` of its own, where no handler can hold it up, or in the event
    ``"loop"``, where a test's virtual clock reaches it. ``max_children`` bounds the processes for tasks
    that ask for them, by default one for each processor.
    """

    queues: Sequence[str] | Mapping[str, float]
    concurrency: int
    visibility_timeout: Duration | None
    grace: Duration
    worker_id: str
    renewal: Literal["thread", "loop"]
    max_children: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The options of one worker, checked. Durations are seconds."""

    weights: dict[str, float]
    concurrency: int
    visibility_timeout: float | None
    grace: float
    worker_id: str
    in_thread: bool
    max_children: int


def plan(options: WorkerOptions, queues: Iterable[str]) -> Plan:
    """Return the plan of a worker whose app uses ``queues``; raises ``ConfigurationError``."""
    try:
        return _plan(options, queues)
    except ActorqError as error:
        raise ConfigurationError(f"a worker's options: {error}") from None


def _plan(options: WorkerOptions, queues: Iterable[str]) -> Plan:
    visibility = options.get("visibility_timeout")
    if visibility is not None:
        visibility = bounds.visibility_timeout(seconds(visibility, "/visibility_timeout"))
    return Plan(
        weights=_weights(options.get("queues") or sorted(set(queues))),
        concurrency=bounds.integer(
            options.get("concurrency", CONCURRENCY), "/concurrency", least=1, most=MOST_SLOTS
        ),
        visibility_timeout=visibility,
        grace=seconds(options.get("grace", GRACE_S), "/grace"),
        worker_id=intake.worker_id(options.get("worker_id") or _random_id()),
        in_thread=options.get("renewal", "thread") == "thread",
        max_children=bounds.integer(
            options.get("max_children", os.cpu_count() or 1), "/max_children", least=1, most=1_000
        ),
    )


def _weights(queues: Sequence[str] | Mapping[str, float]) -> dict[str, float]:
    weights = dict(queues) if isinstance(queues, Mapping) else dict.fromkeys(queues, 1.0)
    if not weights:
        raise ConfigurationError("names no queue, and the app has no tasks")
    for name, weight in weights.items():
        bounds.queue_name(name, "/queues")
        bounds.seconds(weight, f"/queues/{name}", least=0.001, most=1_000_000.0)
    return weights


def _random_id() -> str:
    """Return an id that no other worker has, in which people find theirs."""
    return f"{socket.gethostname()[:100]}-{os.getpid()}-{secrets.token_hex(4)}"
