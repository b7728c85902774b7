"""Which message calls which verb of the backend, in which order, and what may be repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias, cast

from actorq.actors import messages as m
from actorq.core.commands import Ack, Extend, Fail, Release, Report
from actorq.core.job import NewJob
from actorq.core.results import Enqueued, PrunedReplay
from actorq.core.schedule import PutSchedule
from actorq.errors import ActorqError, BackendUnavailable, IdempotencyKeyReused, InternalError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.backends.backend import Backend

Kind: TypeAlias = type[m.StorageMessage]
"""A class of messages: it fixes the verb, and the types of its items and results."""

_ORDER: Final[tuple[Kind, ...]] = (
    m.AckJobs,
    m.FailJobs,
    m.ReleaseJobs,
    m.ExtendLeases,
    m.ReportProgress,
    m.CancelJobs,
    m.UpdateJobs,
    m.RedriveJobs,
    m.DeleteJobs,
    m.UpdateQueues,
    m.ChangeSchedules,
    m.EnqueueJobs,
    m.ClaimJobs,
    m.GetJobs,
    m.GetQueueLengths,
    m.GetSchedules,
    m.FindClaims,
    m.CheckStore,
    m.RequeueExpired,
    m.PromoteDelayed,
    m.FireSchedules,
    m.FindJobs,
    m.ListQueues,
    m.ListSchedules,
    m.PurgeJobs,
    m.PruneJobs,
)

RANK: Final = {kind: rank for rank, kind in enumerate(_ORDER)}
"""Settlements first: they free room and leases; then enqueues, so that claims find them."""

SINGLE: Final[frozenset[Kind]] = frozenset(
    {
        m.FindClaims,
        m.CheckStore,
        m.RequeueExpired,
        m.PromoteDelayed,
        m.FireSchedules,
        m.FindJobs,
        m.ListQueues,
        m.ListSchedules,
        m.PurgeJobs,
        m.PruneJobs,
    }
)
"""Messages that are one call each; all others are batches of items."""

_VERBS: Final[dict[Kind, str]] = {
    m.EnqueueJobs: "enqueue",
    m.ClaimJobs: "dequeue",
    m.AckJobs: "ack",
    m.FailJobs: "fail",
    m.ReleaseJobs: "release",
    m.ExtendLeases: "extend",
    m.ReportProgress: "report",
    m.CancelJobs: "cancel",
    m.RedriveJobs: "redrive",
    m.UpdateJobs: "update_job",
    m.DeleteJobs: "delete",
    m.GetJobs: "get_job",
    m.GetQueueLengths: "get_queue_length",
    m.UpdateQueues: "update_queue",
    m.ChangeSchedules: "change_schedules",
    m.GetSchedules: "get_schedules",
}

_REPEATABLE: Final[frozenset[Kind]] = frozenset(
    {m.EnqueueJobs, m.ClaimJobs, m.GetJobs, m.GetQueueLengths, m.GetSchedules, m.CancelJobs}
)


def call_batch(backend: Backend, kind: Kind, items: Sequence[object]) -> list[object]:
    """Call the verb of ``kind`` for ``items``; one result per item."""
    # The items have this verb's type because each message class fixes it; the table forgets that.
    verb = cast("Callable[[Sequence[object]], list[object]]", getattr(backend, _VERBS[kind]))
    return verb(items)


def call_single(  # noqa: C901, PLR0911 - one return a verb
    backend: Backend, message: m.StorageMessage
) -> object:
    """Make the one call that ``message`` asks for."""
    match message:
        case m.FindClaims(tokens):
            return backend.find_claims(tokens)
        case m.CheckStore():
            return backend.check()
        case m.RequeueExpired(limit):
            return backend.requeue_expired(limit)
        case m.PromoteDelayed(limit):
            return backend.promote_delayed(limit)
        case m.FireSchedules(limit):
            return backend.fire_schedules(limit)
        case m.ListSchedules(after, limit):
            return backend.list_schedules(after, limit)
        case m.PruneJobs(limit):
            return backend.prune(limit)
        case m.PurgeJobs(queue_name, statuses, limit):
            return backend.purge(queue_name, statuses, limit)
        case m.FindJobs(query):
            return backend.list_jobs(query)
        case m.ListQueues(names):
            return backend.list_queues(names)
        case _:
            kind = type(message).__name__
            raise TypeError(f"{kind} is a batch, not a single call")


def repeatable(kind: Kind, item: object) -> bool:
    """Tell whether a call with an unknown outcome may be made again for ``item``.

    A settlement may if it carries its token, by which the store knows it again. A bare one might
    meet the next holder's lease; an edit, a redrive or a delete would judge its own effect. What a schedule
    shall be instead of one version can be said twice; without it, a first call that comes late could undo
    what others did since.
    """
    if kind in _REPEATABLE:
        return True
    if isinstance(item, PutSchedule):
        return item.version is not None
    return isinstance(item, Ack | Fail | Release | Extend | Report) and item.token is not None


def lasting(kind: Kind, item: object, answer: object) -> bool:
    """Tell whether what a repeated call was told stays true though the first may still take effect.

    A store knows the copy of a call by the token, by the idempotency key, or by the job that it made. But
    that another's job stands for a request, or that there is no room for it, is so for this moment
    only: a first call that arrives late would be taken all the same, and its caller has been told otherwise.
    """
    if isinstance(answer, InternalError | BackendUnavailable):
        return True
    if isinstance(item, NewJob):
        if isinstance(answer, Enqueued):
            return answer.job.id == item.id or item.idempotency is not None
        return isinstance(answer, PrunedReplay | IdempotencyKeyReused)
    return kind is not m.CancelJobs or not isinstance(answer, ActorqError)
