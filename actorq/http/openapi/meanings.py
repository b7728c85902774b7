"""What fields mean here: their types say only what may stand in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_JOB: Final = {
    "id": "A UUIDv7: it sorts by the time at which the job was made.",
    "queue_name": "The queue.",
    "status": "Where the job is in its life.",
    "payload": "The caller's text, as it was sent.",
    "priority": "Higher goes first.",
    "max_retries": "Retries after the first attempt.",
    "retry_count": "Failures that led to a retry, since the last redrive.",
    "delivery": "How often the job may be started.",
    "available_at": "It is not given out before; null as long as it waits for other jobs.",
    "created_at": "When it was made.",
    "updated_at": "When it was written last.",
    "metadata": "The caller's own notes.",
    "task": "The handler that is meant.",
    "attempt": "How often it was claimed so far; it never falls.",
    "expiries": "Leases that ended without a word from their holder.",
    "interruptions": "Attempts that were handed back.",
    "dedupe_key": "At most one live job of the queue has this key.",
    "backoff": "The delays between retries, in seconds.",
    "timeout": "How long an attempt may take, in seconds, for the worker to keep.",
    "expires_at": "It is not started after.",
    "progress": "What its holder reported last: any JSON value.",
    "result": "What its holder came to: any JSON value.",
    "errors": "Its history: the last 20 entries.",
    "dead_reason": "Why it is dead.",
    "completed_at": "When it ended.",
    "cancel_requested": "Somebody asked its holder to stop.",
    "version": "Rises with every write: the ETag.",
    "lease": "Who works on it, while it runs.",
    "schedule": "The schedule that made it, if one did.",
    "tick": "The instant for which the schedule made it.",
    "depends_on": "The jobs whose ends it waits for, if any.",
    "waiting_for": "Those of them that it still waits for; of an ended job, those that it waited for then.",
    "on_parent_failure": "What becomes of it when one of them does not end completed.",
    "not_before": "While it waits for them: when it is due at the earliest, if that was asked.",
    "dependents": "The jobs that depend on it, if any.",
    "duplicate": "It was there before: it holds the dedupe key.",
    "replaced": "It took over payload, priority and due time of the request.",
}
_LEASE: Final = {
    "worker_id": "Who holds it.",
    "expires_at": "When it ends, by the store's clock, unless it is renewed.",
    "token": "What settles the job; only its holder is shown it.",
    "visibility_timeout": "Its length in seconds: count them from when you sent your request.",
}
_ERROR: Final = {
    "attempt": "Which attempt it was.",
    "worker": "Whose.",
    "time": "When it was recorded.",
    "kind": "What happened; only `failure` is the handler's own.",
    "message": "In words, up to 4 KiB.",
}
_PRUNED: Final = {
    "id": "The job's id.",
    "queue_name": "Its queue.",
    "created_at": "When it was made.",
    "pruned": "Always true: the record itself is gone.",
}
_ITEM: Final = {
    "status": "The HTTP status that the item would have had alone.",
    "job": "The job, where the status is a success.",
    "replayed": "True where the item's idempotency key was seen before.",
    "error": "Why the item was refused.",
}
_HELD: Final = {
    "id": "The job's id.",
    "status": "`ok`; `lost` to another, or ended; or `cancel`: still held, and somebody asked to stop.",
    "expires_at": "When the lease ends now.",
    "visibility_timeout": "Its length in seconds.",
}
_LENGTH: Final = {
    "queue_name": "The queue.",
    "length": "The same as `pending`.",
    "pending": "Jobs that are ready.",
    "delayed": "Jobs that are not due yet.",
    "running": "Jobs under a lease.",
    "paused": "It gives nothing out for now.",
}
_SETTINGS_NOW: Final = {
    "queue_name": "The queue.",
    "paused": "It gives nothing out for now.",
    "paused_reason": "The note of whoever paused it.",
    "max_running": "Its leases at once; null for no bound.",
    "max_depth": "Its waiting jobs, pending and delayed; null for no bound.",
    "visibility_timeout": "Its leases' length in seconds; null for the server's.",
    "retention": "How long its ended jobs are kept, in seconds; null for the server's.",
}
_QUEUE: Final = {
    "name": "The queue.",
    "pending": "Jobs that are ready.",
    "delayed": "Jobs that are not due yet.",
    "running": "Jobs under a lease.",
    "completed": "Jobs that were done.",
    "dead": "Jobs in the dead letter queue.",
    "cancelled": "Jobs that were cancelled.",
    "paused": "It gives nothing out for now.",
    "oldest_pending_age": "Seconds since the oldest pending job was made.",
    "accepted": "Jobs ever made here: the sum of all counts, and `pruned`.",
    "pruned": "Jobs that were removed since.",
    "as_of": "When these figures were read.",
}
_PROBLEM: Final = {
    "type": "A URI for the kind of problem; it leads nowhere.",
    "title": "The kind of problem in words.",
    "status": "The HTTP status.",
    "detail": "What is wrong this time.",
    "code": "The kind of problem as a stable word: compare this.",
    "retryable": "Whether the same request may succeed later.",
    "errors": "Which places of the request are wrong.",
    "job_id": "The job that is in the way.",
    "job_status": "Its status, where that is why.",
    "version": "The version which the job has by now.",
    "request_id": "Connects this answer with the server's log; also in `X-Request-Id`.",
}

_ENQUEUE: Final = {
    "queue": "The same as `queue_name`, shorter.",
    "delay": "How long it is held back; by the store's clock.",
    "delay_seconds": "The same as `delay`.",
    "available_at": "Instead of `delay`: the instant before which it is not given out.",
    "backoff": "The delays between retries.",
    "timeout": "How long an attempt may take, for the worker to keep.",
    "expires_at": "It is not started after this instant, but ends `dead`.",
    "dedupe_window": "How long the key is held at least, also beyond the job's life.",
}
_BACKOFF: Final = {
    "base": "Before the first retry.",
    "max": "The longest of all.",
}
_EDIT: Final = {
    "delay": "How long it is held back from now on.",
    "delay_seconds": "The same as `delay`.",
    "available_at": "Instead of `delay`: the instant before which it is not given out.",
}
_TOKEN: Final = {
    "lease": "The lease's token, or the lease as it was answered; absent for the current one.",
}
_FAIL: Final = {
    **_TOKEN,
    "error": "The same as `reason`.",
    "retryable": "False ends it `dead`, whatever retries are left.",
    "retry_in": "When to try again, instead of the backoff.",
}
_RELEASE: Final = {**_TOKEN, "delay": "How long it is held back."}
_EXTEND: Final = {
    **_TOKEN,
    "visibility_timeout": "How long from now; as long as before if absent.",
    "seconds": "The same as `visibility_timeout`.",
}
_RETENTION: Final = {
    "completed": "How long completed jobs are kept.",
    "dead": "How long dead jobs are kept.",
    "cancelled": "How long cancelled jobs are kept.",
    "max_completed": "How many completed jobs are kept.",
    "max_dead": "How many dead jobs are kept.",
    "max_cancelled": "How many cancelled jobs are kept.",
}
_SETTINGS: Final = {
    "max_running": "Its leases at once; null for no bound.",
    "max_depth": "Its waiting jobs, pending and delayed; null for no bound.",
    "visibility_timeout": "Its leases' length where a claim says none; null for the server's.",
    "retention": "How long its ended jobs are kept: replaced as a whole, by the server's where it says "
    "nothing; null for the server's.",
}

MEANINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "EnqueueBody": _ENQUEUE,
    "BackoffBody": _BACKOFF,
    "EditBody": _EDIT,
    "AckBody": _TOKEN,
    "FailBody": _FAIL,
    "ReleaseBody": _RELEASE,
    "ExtendBody": _EXTEND,
    "ProgressBody": _TOKEN,
    "SettleItem": {**_FAIL, **_RELEASE},
    "HeartbeatItem": {"lease": "The lease's token, or the lease as it was answered."},
    "HeartbeatBody": {"leases": "What the worker holds.", "visibility_timeout": "For all of them."},
    "BatchBody": {"jobs": "The jobs, each as for `POST /jobs`."},
    "SettleBody": {"items": "The settlements."},
    "RedriveBody": {"ids": "Which jobs.", "limit": "Instead of `ids`: the newest so many."},
    "SettingsBody": _SETTINGS,
    "RetentionBody": _RETENTION,
    "JobView": _JOB,
    "LeaseView": _LEASE,
    "ErrorView": _ERROR,
    "PrunedView": _PRUNED,
    "PageView": {
        "jobs": "Newest first.",
        "next": "The `cursor` of the next page; null at the end.",
    },
    "BatchView": {"results": "One for each item, in order."},
    "ItemView": _ITEM,
    "HeartbeatView": {
        "leases": "One for each lease, in order.",
        "directive": "`continue`, or `drain`: this server is going away.",
    },
    "HeldView": _HELD,
    "LengthView": _LENGTH,
    "SettingsView": _SETTINGS_NOW,
    "RemovedView": {"removed": "How many jobs are gone."},
    "HealthView": {"status": "Always `ok`."},
    "ReadyView": {"status": "Always `ready`.", "warnings": "What an operator should know."},
    "ProblemPlace": {"pointer": "A JSON pointer (RFC 6901).", "message": "What is wrong there."},
    "QueueView": _QUEUE,
    "ProblemView": _PROBLEM,
}
"""By schema and field."""
