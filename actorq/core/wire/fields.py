"""The types of fields, each with what a reader of the API must know of it.

The bounds stand here for the document only: they are checked in ``actorq.core.bounds``, for every
door alike, and the numbers come from there.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, UnsetType

from actorq.core import bounds
from actorq.core.workflow import MAX_PARENTS

QUEUE_NAME_PATTERN: Final = f"^{bounds.QUEUE_NAME_FORM}$"
_NUMBER_FORM: Final = r"[0-9]{1,9}(\.[0-9]{1,6})?"
_DURATION_FORM: Final = (
    rf"^({_NUMBER_FORM}d)?({_NUMBER_FORM}h)?({_NUMBER_FORM}m)?({_NUMBER_FORM}s?)?$"
)
_PARENT_FORM: Final = rf"^({bounds.JOB_ID_FORM}|#(0|[1-9][0-9]{{0,5}}))$"
_NO_NUL: Final = "^[^\\u0000]*$"


def _about(description: str, **schema: object) -> Meta:
    """Describe a field; ``schema`` are keywords of JSON Schema."""
    return Meta(description=description, extra_json_schema=schema)


_SECONDS: Final = _about(
    'Seconds as a number, or text such as "300s", "5m" or "1h30m".',
    minimum=0,
    maximum=bounds.MAX_DELAY_S,
    minLength=1,
    pattern=_DURATION_FORM,
    examples=[30, "5m"],
)
_VISIBILITY: Final = _about(
    "How long the lease lasts without a renewal, 1 s to 12 h; by default what the queue says.",
    minimum=bounds.MIN_VISIBILITY_S,
    maximum=bounds.MAX_VISIBILITY_S,
    minLength=1,
    pattern=_DURATION_FORM,
    examples=[30, "5m"],
)
INSTANT: Final = _about(
    "An RFC 3339 instant with its offset from UTC, of the years 1970 to 9999.",
    format="date-time",
    examples=["2030-01-31T12:00:00Z"],
)
_PRIORITY: Final = _about(
    "Higher goes first; equal ones in the order in which they came.",
    minimum=bounds.PRIORITY_MIN,
    maximum=bounds.PRIORITY_MAX,
)
_MAX_RETRIES: Final = _about(
    "Retries after the first attempt.", minimum=0, maximum=bounds.MAX_RETRIES
)
_METADATA: Final = _about(
    "The caller's own notes, text to text: keys of up to 128 and values of up to 4096 bytes.",
    maxProperties=bounds.MAX_METADATA_ENTRIES,
    propertyNames={
        "minLength": 1,
        "maxLength": bounds.MAX_METADATA_KEY_BYTES,
        "pattern": _NO_NUL,
    },
    additionalProperties={
        "type": "string",
        "maxLength": bounds.MAX_METADATA_VALUE_BYTES,
        "pattern": _NO_NUL,
    },
)
_KEY: Final = {"minLength": 1, "maxLength": bounds.MAX_KEY, "pattern": _NO_NUL}
_LIMIT: Final = {"minimum": 0, "maximum": 2**53}

Duration = float | str
"""Seconds as a number, or text such as ``"300s"``, ``"5m"``, ``"1h30m"``."""

Seconds = Annotated[Duration, _SECONDS]
MaybeSeconds = Annotated[Duration | None, _SECONDS]
Wait = Annotated[
    Duration,
    _about(
        "How long to wait for a job if there is none, 0 to 20 s.",
        minimum=0,
        maximum=20,
        minLength=1,
        pattern=_DURATION_FORM,
        examples=[10],
    ),
]
MaybeVisibility = Annotated[Duration | None, _VISIBILITY]
VisibilityChange = Annotated[Duration | UnsetType | None, _VISIBILITY]
MaybeInstant = Annotated[str | None, INSTANT]
Priority = Annotated[int, _PRIORITY]
MaybePriority = Annotated[int | None, _PRIORITY]
MaxRetries = Annotated[int, _MAX_RETRIES]
MaybeMaxRetries = Annotated[int | None, _MAX_RETRIES]
MaybeMetadata = Annotated[dict[str, str] | None, _METADATA]
Payload = Annotated[
    str,
    _about(
        "Opaque text, given back byte for byte; structured data must be encoded first.",
        examples=['{"to": "ada@example.com"}'],
    ),
]
MaybePayload = Annotated[
    str | None, _about("Opaque text, given back byte for byte.", examples=["42"])
]
MaybeQueueName = Annotated[
    str | None,
    _about(
        "The queue; it is made by its first job.", pattern=QUEUE_NAME_PATTERN, examples=["mail"]
    ),
]
MaybeTask = Annotated[
    str | None,
    _about(
        "The name of the handler that is meant.",
        minLength=1,
        maxLength=bounds.MAX_TASK,
        pattern=_NO_NUL,
    ),
]
MaybeDedupeKey = Annotated[
    str | None,
    _about("At most one live job of the queue has this key.", **_KEY),
]
MaybeIdempotencyKey = Annotated[
    str | None,
    _about("One request sent twice: the second is answered like the first.", **_KEY),
]
MaybeWorkerId = Annotated[str | None, _about("Who asks, for whoever looks.", **_KEY)]
DeliveryName = Annotated[
    str,
    _about(
        "How often the job may be started: at_least_once or at_most_once.",
        pattern="^at[_-](least|most)[_-]once$",
    ),
]
OnDuplicateName = Annotated[
    str,
    _about(
        "What happens when a job holds the dedupe key: return it, reject, or replace.",
        pattern="^(return|reject|replace)$",
    ),
]
MaybeParents = Annotated[
    list[Annotated[str, Meta(extra_json_schema={"pattern": _PARENT_FORM})]] | None,
    _about(
        "The jobs whose ends it waits for, by their ids. In a batch `#N` is the batch's own job at the "
        "place N, counted from 0, which must be an earlier one.",
        maxItems=MAX_PARENTS,
        examples=[["0197f6a5-3c00-7d2e-8a41-5b6f0c9d1e2f"]],
    ),
]
OnParentFailureName = Annotated[
    str,
    _about(
        "What becomes of it when one of those ends dead or cancelled, or is removed: cancel, or run.",
        pattern="^(cancel|run)$",
    ),
]
Factor = Annotated[
    float,
    _about(
        "By how much each delay is longer than the last.",
        minimum=1,
        maximum=bounds.MAX_BACKOFF_FACTOR,
    ),
]
Reason = Annotated[str | None, _about("What went wrong; kept up to 4 KiB.")]
PauseReason = Annotated[
    str | None,
    _about("A note for whoever looks.", minLength=1, maxLength=1_000, pattern=_NO_NUL),
]
MaybeSlots = Annotated[
    int | None,
    _about("How many jobs at most; the answer is then a list.", minimum=1, maximum=1_000),
]
MaybeBulk = Annotated[int | None, _about("How many jobs at most.", minimum=1, maximum=1_000)]
Limit = Annotated[int | UnsetType | None, _about("A bound; null for none.", **_LIMIT)]
MaybeCount = Annotated[int | None, _about("How many.", **_LIMIT)]
JsonResult = Annotated[msgspec.Raw | UnsetType, _about("Any JSON value, kept with the job.")]
JsonProgress = Annotated[msgspec.Raw, _about("Any JSON value of at most 64 KiB.")]
ItemId = Annotated[str, _about("The job's id.")]
ActionName = Annotated[str, _about("ack, fail or release.", enum=["ack", "fail", "release"])]
NewJobs = list[
    Annotated[msgspec.Raw, Meta(extra_json_schema={"$ref": "#/components/schemas/EnqueueBody"})]
]
"""Jobs to be made, each left for a reading of its own."""

Settlements = list[
    Annotated[msgspec.Raw, Meta(extra_json_schema={"$ref": "#/components/schemas/SettleItem"})]
]
"""Settlements, each left for a reading of its own."""

Removable = Annotated[
    str,
    _about(
        "A status, but running.",
        enum=["pending", "delayed", "completed", "dead", "cancelled"],
    ),
]
StatusNames = Annotated[tuple[Removable, ...], _about("Statuses, without running.", minItems=1)]
