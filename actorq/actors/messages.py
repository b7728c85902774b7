"""Every message of every actor, grouped by receiver: the protocol on one page.

    doors ──► Dispatcher ──► LeaseManager (one per queue) ──► Returner ──► storage lanes
                  │  ▲                │                                     │  │
                  │  │                └──► storage lanes                    │  │
                  │  └───── JobsReady, RoomMade ◄───────────────────────────┘  │  (hints: offered,
                  └──► storage lanes               Watcher ◄─── JobsChanged ───┤   never told)
    Scheduler, Reaper, Timekeeper, Watcher ──► storage lanes                   │
    Scheduler, Reaper ◄──────────────────────── DueWithin, TickWithin ─────────┘

Solid arrows are told or asked and always point right; what comes back are replies, and hints that
may be lost. So no two actors wait for each other. A request carries the slot of its reply.
"""

from __future__ import annotations

from typing import Generic, TypeAlias, TypeVar

import msgspec

from actorq.actors.mailbox import Reply
from actorq.core.commands import Ack, Claim, Edit, Extend, Fail, ListJobs, Release, Report
from actorq.core.job import Job, NewJob
from actorq.core.queue import QueueEdit, QueueLength, QueueStats
from actorq.core.results import Check, Claimed, Enqueued, Page, PrunedReplay, Settled, Sweep
from actorq.core.schedule import Schedule, ScheduleChange
from actorq.core.transitions import Status
from actorq.errors import ActorqError

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class Beat(msgspec.Struct, frozen=True):
    """To whoever keeps time by it: some has passed."""


# ── to a storage lane: verbs in batches, one result per item ────────────────────────────────────


class Batch(msgspec.Struct, Generic[ItemT, ResultT], frozen=True):
    """Items for one verb; those of several messages travel to the store together."""

    items: tuple[ItemT, ...]
    reply: Reply[list[ResultT]]


class EnqueueJobs(Batch[NewJob, Enqueued | PrunedReplay | ActorqError], frozen=True):
    """Write new jobs."""


class ClaimJobs(Batch[Claim, Claimed | ActorqError], frozen=True):
    """Claim and lease jobs."""


class AckJobs(Batch[Ack, Settled | ActorqError], frozen=True):
    """Complete jobs."""


class FailJobs(Batch[Fail, Settled | ActorqError], frozen=True):
    """Record failures."""


class ReleaseJobs(Batch[Release, Settled | ActorqError], frozen=True):
    """Take jobs back."""


class ExtendLeases(Batch[Extend, Job | ActorqError], frozen=True):
    """Renew leases."""


class ReportProgress(Batch[Report, Job | ActorqError], frozen=True):
    """Record progress."""


class CancelJobs(Batch[str, Job | ActorqError], frozen=True):
    """Cancel jobs by id."""


class RedriveJobs(Batch[str, Job | ActorqError], frozen=True):
    """Give dead jobs another life, by id."""


class UpdateJobs(Batch[Edit, Job | ActorqError], frozen=True):
    """Change waiting jobs."""


class DeleteJobs(Batch[str, Job | ActorqError], frozen=True):
    """Remove ended jobs, by id."""


class GetJobs(Batch[str, Job | None], frozen=True):
    """Read jobs, by id."""


class GetQueueLengths(Batch[str, QueueLength], frozen=True):
    """Read exact lengths, by queue name."""


class UpdateQueues(Batch[QueueEdit, QueueStats], frozen=True):
    """Change queues' settings."""


class ChangeSchedules(Batch[ScheduleChange, Schedule | ActorqError], frozen=True):
    """Make, define anew, pause or remove schedules."""


class GetSchedules(Batch[str, Schedule | None], frozen=True):
    """Read schedules, by name."""


# ── to a storage lane: one call each ────────────────────────────────────────────────────────────


class FindClaims(msgspec.Struct, frozen=True):
    """Find the jobs that are leased under these tokens."""

    tokens: tuple[str, ...]
    reply: Reply[list[Job]]


class FindJobs(msgspec.Struct, frozen=True):
    """List jobs."""

    query: ListJobs
    reply: Reply[Page]


class ListQueues(msgspec.Struct, frozen=True):
    """Read the figures of ``names``, or of all queues."""

    names: tuple[str, ...] | None
    reply: Reply[list[QueueStats]]


class RequeueExpired(msgspec.Struct, frozen=True):
    """End leases that ran out."""

    limit: int
    reply: Reply[Sweep]


class PromoteDelayed(msgspec.Struct, frozen=True):
    """Move what has become due."""

    limit: int
    reply: Reply[Sweep]


class FireSchedules(msgspec.Struct, frozen=True):
    """Make the jobs of ticks that have come."""

    limit: int
    reply: Reply[Sweep]


class ListSchedules(msgspec.Struct, frozen=True):
    """List schedules whose names follow ``after``."""

    after: str
    limit: int
    reply: Reply[list[Schedule]]


class PruneJobs(msgspec.Struct, frozen=True):
    """Remove what retention lets go."""

    limit: int
    reply: Reply[tuple[int, float | None]]


class PurgeJobs(msgspec.Struct, frozen=True):
    """Remove jobs of a queue by status."""

    queue_name: str
    statuses: frozenset[Status]
    limit: int
    reply: Reply[int]


class CheckStore(msgspec.Struct, frozen=True):
    """Prove that the store works, and tell its clock."""

    reply: Reply[Check]


# ── to the dispatcher and to a lease manager ────────────────────────────────────────────────────


class Dequeue(msgspec.Struct, frozen=True):
    """A consumer with ``slots`` free places; its deadline is its door's business.

    With ``wait`` the consumer stays until a job comes or its door abandons the request; without, it
    is answered after one look. ``visibility_timeout`` is seconds, None for the queue's default.
    """

    queue_name: str
    worker_id: str
    slots: int
    visibility_timeout: float | None
    wait: bool
    reply: Reply[Claimed]


class JobsReady(msgspec.Struct, frozen=True):
    """A hint: these queues may have ready jobs; None when it is not known which."""

    queue_names: frozenset[str] | None


class RoomMade(msgspec.Struct, frozen=True):
    """A hint: leases of these queues ended, so that a bound on running jobs may leave room."""

    queue_names: frozenset[str]


class Drain(msgspec.Struct, frozen=True):
    """The server is going away: answer at once whoever waits, and all that still come.

    Goes to the watcher too.
    """


# ── to the returner ─────────────────────────────────────────────────────────────────────────────


class HandBack(msgspec.Struct, frozen=True):
    """Release these jobs: nobody has got them."""

    items: tuple[Release, ...]


class ClaimsInDoubt(msgspec.Struct, frozen=True):
    """Release what was claimed under these tokens: the claims' answers are lost."""

    tokens: tuple[str, ...]


# ── to the scheduler and the reaper ─────────────────────────────────────────────────────────────


class DueWithin(msgspec.Struct, frozen=True):
    """A hint: something will be due in ``seconds``."""

    seconds: float


class TickWithin(msgspec.Struct, frozen=True):
    """A hint to the scheduler: a schedule's tick will come in ``seconds``."""

    seconds: float


# ── to the watcher ──────────────────────────────────────────────────────────────────────────────


class Watch(msgspec.Struct, frozen=True):
    """Answer with the job as soon as its version is not ``version`` any more (None: it is gone)."""

    id: str
    version: int
    reply: Reply[Job | None]


class JobsChanged(msgspec.Struct, frozen=True):
    """A hint: these jobs were written."""

    ids: tuple[str, ...]


# ── who takes what ──────────────────────────────────────────────────────────────────────────────

WriteMessage: TypeAlias = (
    EnqueueJobs
    | ClaimJobs
    | AckJobs
    | FailJobs
    | ReleaseJobs
    | CancelJobs
    | RedriveJobs
    | UpdateJobs
    | DeleteJobs
    | UpdateQueues
    | ChangeSchedules
)
RenewMessage: TypeAlias = ExtendLeases | ReportProgress | CheckStore
ReadMessage: TypeAlias = (
    GetJobs | GetQueueLengths | FindClaims | FindJobs | ListQueues | GetSchedules | ListSchedules
)
UpkeepMessage: TypeAlias = RequeueExpired | PromoteDelayed | FireSchedules | PruneJobs | PurgeJobs
StorageMessage: TypeAlias = WriteMessage | RenewMessage | ReadMessage | UpkeepMessage

DispatcherMessage: TypeAlias = StorageMessage | Dequeue | JobsReady | RoomMade | Drain | Watch
LeaseManagerMessage: TypeAlias = Dequeue | JobsReady | RoomMade | Drain | Beat
ReturnerMessage: TypeAlias = HandBack | ClaimsInDoubt | Beat
SchedulerMessage: TypeAlias = Beat | DueWithin | TickWithin
ReaperMessage: TypeAlias = Beat | DueWithin
TimekeeperMessage: TypeAlias = Beat
PatienceMessage: TypeAlias = Beat
WatcherMessage: TypeAlias = Watch | JobsChanged | Drain | Beat
