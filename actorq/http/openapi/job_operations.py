"""The operations on jobs, as they are described."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq import errors as e
from actorq.core.transitions import Status
from actorq.core.wire import bodies as b
from actorq.core.wire.envelopes import BatchView, PageView
from actorq.core.wire.fields import QUEUE_NAME_PATTERN
from actorq.core.wire.views import JobView, PrunedView
from actorq.http.openapi import examples as x
from actorq.http.openapi.operation import Answer, Operation, Parameter
from actorq.http.query import LONGEST

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": "^[^\\u0000]*$"}
_INSTANT: Final = {"type": "string", "format": "date-time"}
_ETAG: Final = {"ETag": "The job's version."}
_REPLAYED: Final = {"Idempotent-Replayed": "true, when this answer was given before."}
_MADE: Final = {"Location": "Where the job is.", **_ETAG, **_REPLAYED}

KEY: Final = Parameter(
    name="Idempotency-Key",
    about="Names this request, so that sending it twice makes one job; quoted or bare.",
    schema={"type": "string", "pattern": "^[ -~]{1,512}$"},
    place="header",
)
FILTERS: Final = (
    Parameter(name="created_from", about="Made at this instant or later.", schema=_INSTANT),
    Parameter(name="created_to", about="Made before this instant.", schema=_INSTANT),
    Parameter(name="error", about="A text in any of the job's errors.", schema=_TEXT),
    Parameter(
        name="limit",
        about="How many jobs at most.",
        schema={"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
    ),
    Parameter(
        name="cursor",
        about="Where the last page ended: its `next`.",
        schema={"type": "string", "pattern": "^[A-Za-z0-9_-]{21}[AQgw]$"},
    ),
)
PAGE: Final = Answer(
    about="The jobs, newest first. A page may be short and still have a `next`.",
    views=(PageView,),
    example={"jobs": [x.JOB], "next": "AZf2pTwAfS6KQVtvDJ0eLw"},
    headers={"Link": 'The next page, rel="next".'},
)


def shown(about: str, example: object) -> Mapping[int, Answer]:
    """Return the one success of an operation that shows its job."""
    return {200: Answer(about=about, views=(JobView,), example=example, headers=_ETAG)}


JOBS: Final[Mapping[tuple[str, str], Operation]] = {
    ("POST", "/jobs"): Operation(
        about="Make a job",
        details="Answered when the job is durable. For a held `dedupe_key` the answer is the job "
        "that holds it, with `duplicate`.",
        body=b.EnqueueBody,
        must=True,
        example=x.NEW_JOB,
        parameters=(KEY,),
        answers={
            201: Answer(
                about="The job was made, now or when this request was sent first.",
                views=(JobView, PrunedView),
                example=x.JOB,
                headers=_MADE,
            ),
            200: Answer(
                about="A job holds the dedupe key: it is shown.",
                views=(JobView, PrunedView),
                example={**x.JOB, "duplicate": True},
                headers=_MADE,
            ),
        },
        refusals=(e.DuplicateJob, e.IdempotencyKeyReused, e.QueueFull),
    ),
    ("GET", "/jobs"): Operation(
        about="List jobs",
        details="Parameters named `metadata.<key>` ask for jobs whose metadata has that value.",
        parameters=(
            Parameter(
                name="queue_name",
                about="Of this queue; `queue` is understood too.",
                schema={"type": "string", "pattern": QUEUE_NAME_PATTERN},
            ),
            Parameter(
                name="status",
                about="In one of these statuses.",
                schema={"type": "array", "items": {"type": "string", "enum": [*Status]}},
            ),
            *FILTERS,
        ),
        answers={200: PAGE},
        refusals=(e.InvalidInput,),
    ),
    ("POST", "/jobs/batch"): Operation(
        about="Make jobs, many at once",
        details="One result for each job, in order, with the status that it would have had alone. A job may "
        "depend on those before it in the batch: `#0` is the first.",
        body=b.BatchBody,
        must=True,
        example={"jobs": [x.NEW_JOB, x.NEW_CHILD]},
        answers={
            200: Answer(
                about="What became of each.",
                views=(BatchView,),
                example={
                    "results": [{"status": 201, "job": x.JOB}, {"status": 201, "job": x.CHILD}]
                },
            )
        },
    ),
    ("GET", "/jobs/{id}"): Operation(
        about="Show a job",
        details="With `wait` and the ETag that you have, the answer comes when the job changes.",
        parameters=(
            Parameter(
                name="wait",
                about="Seconds to wait for a change; needs If-None-Match.",
                schema={"type": "number", "minimum": 0, "maximum": 20},
            ),
            Parameter(
                name="If-None-Match",
                about="The ETag that you have.",
                schema={"type": "string", "pattern": '^"[0-9]{1,9}"$'},
                place="header",
            ),
        ),
        answers={
            **shown("The job.", x.COMPLETED),
            304: Answer(about="It is as you know it.", headers=_ETAG),
        },
        refusals=(e.NotFound, e.InvalidInput),
    ),
    ("PATCH", "/jobs/{id}"): Operation(
        about="Change a waiting job",
        body=b.EditBody,
        must=True,
        example={"priority": 9},
        parameters=(
            Parameter(
                name="If-Match",
                about="The ETag of the job that you mean to change.",
                schema={"type": "string", "pattern": '^"[0-9]{1,9}"$'},
                place="header",
            ),
        ),
        answers=shown("The job as it now stands.", {**x.JOB, "priority": 9, "version": 2}),
        refusals=(e.NotFound, e.IllegalTransition, e.StaleVersion),
    ),
    ("DELETE", "/jobs/{id}"): Operation(
        about="Remove an ended job",
        answers={200: Answer(about="What it was.", views=(JobView,), example=x.COMPLETED)},
        refusals=(e.NotFound, e.IllegalTransition),
    ),
    ("POST", "/jobs/{id}/cancel"): Operation(
        about="Cancel a job",
        details="A waiting job is cancelled; the holder of a running one is asked to stop.",
        body=b.EmptyBody,
        answers=shown("The job as it now stands.", x.CANCELLED),
        refusals=(e.NotFound, e.IllegalTransition),
    ),
    ("POST", "/jobs/{id}/redrive"): Operation(
        about="Give a dead job another life",
        body=b.EmptyBody,
        answers=shown("The job, pending again.", {**x.JOB, "version": 10}),
        refusals=(e.NotFound, e.IllegalTransition, e.AlreadyStarted, e.DuplicateJob),
    ),
}
