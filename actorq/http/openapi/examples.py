"""The examples of the API's description: the life of one job."""

from __future__ import annotations

from typing import Final

JOB_ID: Final = "0197f6a5-3c00-7d2e-8a41-5b6f0c9d1e2f"
TOKEN: Final = "h7Wk2rQm9tXe4pLz8vYc1A"  # noqa: S105 - an example
CHILD_ID: Final = "0197f6a5-3c00-7d2e-8a41-5b6f0c9d1e30"
NOW: Final = "2026-01-31T12:00:00.000000Z"
UNTIL: Final = "2026-01-31T12:00:30.000000Z"

NEW_JOB: Final = {
    "queue_name": "mail",
    "payload": '{"to": "ada@example.com"}',
    "priority": 5,
    "metadata": {"tenant": "acme"},
}

JOB: Final[dict[str, object]] = {
    "id": JOB_ID,
    "queue_name": "mail",
    "status": "pending",
    "payload": '{"to": "ada@example.com"}',
    "priority": 5,
    "max_retries": 3,
    "retry_count": 0,
    "delivery": "at_least_once",
    "available_at": NOW,
    "created_at": NOW,
    "updated_at": NOW,
    "metadata": {"tenant": "acme"},
    "task": None,
    "attempt": 0,
    "expiries": 0,
    "interruptions": 0,
    "dedupe_key": None,
    "backoff": {"base": 1.0, "factor": 2.0, "max": 3600.0},
    "timeout": None,
    "expires_at": None,
    "progress": None,
    "result": None,
    "errors": [],
    "dead_reason": None,
    "completed_at": None,
    "cancel_requested": False,
    "version": 1,
    "lease": None,
}

NEW_CHILD: Final = {"queue_name": "mail", "payload": "done", "depends_on": ["#0"]}

CHILD: Final[dict[str, object]] = {
    **JOB,
    "id": CHILD_ID,
    "status": "delayed",
    "payload": "done",
    "priority": 0,
    "available_at": None,
    "metadata": {},
    "depends_on": [JOB_ID],
    "waiting_for": [JOB_ID],
    "on_parent_failure": "cancel",
}

_RUNNING: Final = {**JOB, "status": "running", "attempt": 1, "version": 2}
_SEEN_LEASE: Final = {"worker_id": "worker-1", "expires_at": UNTIL}
_OWN_LEASE: Final = {**_SEEN_LEASE, "token": TOKEN, "visibility_timeout": 30.0}
_ERROR: Final = {
    "attempt": 1,
    "worker": "worker-1",
    "time": NOW,
    "kind": "failure",
    "message": "smtp: 451 try again later",
}

CLAIMED: Final = {**_RUNNING, "lease": _OWN_LEASE}
REPORTED: Final = {**_RUNNING, "lease": _SEEN_LEASE, "progress": {"sent": 3, "of": 10}}
EXTENDED: Final = {**CLAIMED, "version": 3, "directive": "continue"}
COMPLETED: Final = {
    **_RUNNING,
    "status": "completed",
    "result": {"message_id": "<1@example.com>"},
    "completed_at": NOW,
    "version": 3,
}
FAILED: Final = {
    **_RUNNING,
    "status": "delayed",
    "retry_count": 1,
    "errors": [_ERROR],
    "version": 3,
}
CANCELLED: Final = {**JOB, "status": "cancelled", "completed_at": NOW, "version": 2}
DEAD: Final = {
    **FAILED,
    "status": "dead",
    "dead_reason": "retries_exhausted",
    "completed_at": NOW,
    "version": 9,
}
PRUNED: Final = {"id": JOB_ID, "queue_name": "mail", "created_at": NOW, "pruned": True}

QUEUE: Final = {
    "name": "mail",
    "pending": 1,
    "delayed": 0,
    "running": 0,
    "completed": 41,
    "dead": 0,
    "cancelled": 0,
    "paused": False,
    "oldest_pending_age": 0.25,
    "accepted": 42,
    "pruned": 0,
    "as_of": NOW,
}
LENGTH: Final = {
    "queue_name": "mail",
    "length": 1,
    "pending": 1,
    "delayed": 0,
    "running": 0,
    "paused": False,
}
SETTINGS: Final = {
    "queue_name": "mail",
    "paused": True,
    "paused_reason": "the mail server is down",
    "max_running": 10,
    "max_depth": None,
    "visibility_timeout": None,
    "retention": None,
}
HEARTBEAT: Final = {
    "leases": [
        {"id": JOB_ID, "status": "ok", "expires_at": UNTIL, "visibility_timeout": 30.0},
    ],
    "directive": "continue",
}
