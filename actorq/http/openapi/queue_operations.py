"""The operations on queues and on the server itself, as they are described."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq import errors as e
from actorq.core.wire import bodies as b
from actorq.core.wire.envelopes import BatchView, HealthView, ReadyView, RemovedView
from actorq.core.wire.views import LengthView, QueueView, SettingsView
from actorq.http.openapi import examples as x
from actorq.http.openapi.job_operations import FILTERS, PAGE
from actorq.http.openapi.operation import Answer, Operation

if TYPE_CHECKING:
    from collections.abc import Mapping

_SETTINGS: Final = {
    200: Answer(about="The queue's settings.", views=(SettingsView,), example=x.SETTINGS)
}
_REMOVED: Final = {
    200: Answer(about="How many were removed.", views=(RemovedView,), example={"removed": 17})
}

QUEUES: Final[Mapping[tuple[str, str], Operation]] = {
    ("GET", "/queues"): Operation(
        about="List queues",
        details="The figures may be a second old; `as_of` says when they were read.",
        answers={200: Answer(about="All queues, by name.", lists=(QueueView,), example=[x.QUEUE])},
        refusals=(e.InvalidInput,),
    ),
    ("GET", "/queues/{name}"): Operation(
        about="Show a queue",
        details="A queue without a job yet has zeros only.",
        answers={200: Answer(about="Its figures now.", views=(QueueView,), example=x.QUEUE)},
        refusals=(e.InvalidInput,),
    ),
    ("GET", "/queues/{name}/length"): Operation(
        about="Count a queue's waiting jobs",
        details="`length` counts pending jobs, exactly; an unknown queue has none.",
        answers={200: Answer(about="Its length.", views=(LengthView,), example=x.LENGTH)},
        refusals=(e.InvalidInput,),
    ),
    ("POST", "/queues/{name}/pause"): Operation(
        about="Pause a queue",
        details="It takes jobs, and gives none out, on every server of the store.",
        body=b.PauseBody,
        example={"reason": "the mail server is down"},
        answers=_SETTINGS,
    ),
    ("POST", "/queues/{name}/resume"): Operation(
        about="Resume a queue", body=b.EmptyBody, answers=_SETTINGS
    ),
    ("GET", "/queues/{name}/settings"): Operation(
        about="Show a queue's settings", answers=_SETTINGS, refusals=(e.InvalidInput,)
    ),
    ("PATCH", "/queues/{name}/settings"): Operation(
        about="Change a queue's settings",
        details="What is absent stays; null goes back to the server's default.",
        body=b.SettingsBody,
        must=True,
        example={"max_running": 10},
        answers=_SETTINGS,
    ),
    ("POST", "/queues/{name}/purge"): Operation(
        about="Remove a queue's jobs",
        details="By status: `pending` and `delayed`, unless others are named. Running jobs stay.",
        body=b.PurgeBody,
        example={"statuses": ["pending", "delayed"]},
        answers=_REMOVED,
    ),
    ("GET", "/queues/{name}/dead"): Operation(
        about="List a queue's dead letters",
        details="Parameters named `metadata.<key>` ask for jobs whose metadata has that value.",
        parameters=FILTERS,
        answers={200: PAGE},
        refusals=(e.InvalidInput,),
    ),
    ("POST", "/queues/{name}/dead/purge"): Operation(
        about="Remove a queue's dead letters", body=b.EmptyBody, answers=_REMOVED
    ),
    ("POST", "/queues/{name}/redrive"): Operation(
        about="Give dead jobs another life",
        details="The jobs of `ids`, or the newest `limit` of the queue's dead letters.",
        body=b.RedriveBody,
        example={"limit": 100},
        answers={
            200: Answer(
                about="What became of each.",
                views=(BatchView,),
                example={"results": [{"status": 200, "job": {**x.JOB, "version": 10}}]},
            )
        },
    ),
}

SERVER: Final[Mapping[tuple[str, str], Operation]] = {
    ("GET", "/healthz"): Operation(
        about="Does the process live",
        answers={200: Answer(about="It does.", views=(HealthView,), example={"status": "ok"})},
    ),
    ("GET", "/readyz"): Operation(
        about="Would a job be taken now",
        details="Asks the store; the answer comes within 2 s, whatever the store does.",
        answers={
            200: Answer(
                about="It would; `warnings` are what an operator should know.",
                views=(ReadyView,),
                example={"status": "ready", "warnings": []},
            )
        },
    ),
    ("GET", "/openapi.json"): Operation(
        about="This description",
        answers={200: Answer(about="An OpenAPI 3.1 document.")},
    ),
}
