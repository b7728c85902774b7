"""The operations of workers, as they are described."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq import errors as e
from actorq.core.wire import bodies as b
from actorq.core.wire.envelopes import BatchView, HeartbeatView
from actorq.core.wire.views import JobView
from actorq.http.openapi import examples as x
from actorq.http.openapi.job_operations import shown
from actorq.http.openapi.operation import Answer, Operation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actorq.http.openapi.operation import Errors

_HOLDER: Final = (
    "Without `lease` the current lease is meant, whoever holds it (428 where tokens are required). "
    "The same call again, with the same token, is answered again."
)
_REFUSALS: Final[Errors] = (e.NotFound, e.LeaseLost, e.NotLeased, e.TokenRequired)

LEASES: Final[Mapping[tuple[str, str], Operation]] = {
    ("POST", "/queues/{name}/dequeue"): Operation(
        about="Take jobs under leases",
        details="With `wait` the answer comes as soon as there is a job. `lease.token` belongs to "
        "whoever asked, and settles the job.",
        body=b.DequeueBody,
        example={"worker_id": "worker-1", "wait": 10},
        answers={
            200: Answer(
                about="The job; with `max`, a list of jobs.",
                views=(JobView,),
                lists=(JobView,),
                example=x.CLAIMED,
            ),
            204: Answer(
                about="There is no job to give out.",
                headers={
                    "Actorq-Paused": "true, when the queue is paused.",
                    "Actorq-Draining": "true, when this server is going away.",
                },
            ),
        },
    ),
    ("POST", "/jobs/{id}/ack"): Operation(
        about="Complete a job",
        details=_HOLDER,
        body=b.AckBody,
        example={"lease": x.TOKEN, "result": {"message_id": "<1@example.com>"}},
        answers=shown("The job, completed.", x.COMPLETED),
        refusals=_REFUSALS,
    ),
    ("POST", "/jobs/{id}/fail"): Operation(
        about="Report a failure",
        details=_HOLDER,
        body=b.FailBody,
        example={"lease": x.TOKEN, "reason": "smtp: 451 try again later"},
        answers=shown(
            "The job: `delayed` until `available_at` for its next attempt, or `dead`.", x.FAILED
        ),
        refusals=_REFUSALS,
    ),
    ("POST", "/jobs/{id}/release"): Operation(
        about="Hand a job back",
        details=_HOLDER,
        body=b.ReleaseBody,
        example={"lease": x.TOKEN},
        answers=shown(
            "The job, to be given out again.",
            {**x.JOB, "attempt": 1, "interruptions": 1, "version": 3},
        ),
        refusals=_REFUSALS,
    ),
    ("POST", "/jobs/{id}/extend"): Operation(
        about="Renew a lease",
        details="The answer's `directive` says what the holder is asked to do: `continue`, "
        "`cancel` (somebody asked for it) or `drain` (this server is going away).",
        body=b.ExtendBody,
        example={"lease": x.TOKEN, "visibility_timeout": "30s"},
        answers=shown("The job, and what its holder is asked to do.", x.EXTENDED),
        refusals=_REFUSALS,
    ),
    ("POST", "/jobs/{id}/progress"): Operation(
        about="Report progress",
        body=b.ProgressBody,
        must=True,
        example={"lease": x.TOKEN, "progress": {"sent": 3, "of": 10}},
        answers=shown("The job.", x.REPORTED),
        refusals=_REFUSALS,
    ),
    ("POST", "/jobs/settle"): Operation(
        about="Settle jobs, many at once",
        details="One result for each item, in order, with the status that it would have had alone.",
        body=b.SettleBody,
        must=True,
        example={"items": [{"id": x.JOB_ID, "action": "ack", "lease": x.TOKEN}]},
        answers={
            200: Answer(
                about="What became of each.",
                views=(BatchView,),
                example={"results": [{"status": 200, "job": x.COMPLETED}]},
            )
        },
    ),
    ("POST", "/workers/{id}/heartbeat"): Operation(
        about="Renew all leases of a worker",
        details="For each lease: `ok`, `lost`, or `cancel` (still held, and somebody asked to stop).",
        body=b.HeartbeatBody,
        must=True,
        example={"leases": [{"id": x.JOB_ID, "lease": x.TOKEN}]},
        answers={
            200: Answer(about="How each lease stands.", views=(HeartbeatView,), example=x.HEARTBEAT)
        },
    ),
}
