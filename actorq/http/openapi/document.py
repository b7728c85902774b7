"""From operations to the OpenAPI document."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Final

import msgspec

from actorq.core.wire.bodies import EnqueueBody, SettleItem
from actorq.core.wire.envelopes import ProblemView
from actorq.core.wire.fields import QUEUE_NAME_PATTERN
from actorq.core.wire.views import JobView, PrunedView
from actorq.http.openapi.branches import into_branches
from actorq.http.openapi.job_operations import JOBS
from actorq.http.openapi.lease_operations import LEASES
from actorq.http.openapi.meanings import MEANINGS
from actorq.http.openapi.queue_operations import QUEUES, SERVER
from actorq.http.openapi.schedule_meanings import SCHEDULE_MEANINGS
from actorq.http.openapi.schedule_operations import SCHEDULES
from actorq.http.problems import KINDS
from actorq.http.response import Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from actorq.errors import ActorqError
    from actorq.http.openapi.operation import Answer, Operation, Parameter
    from actorq.http.request import Request

    Json = dict[str, object]

API_VERSION: Final = "1"
"""Rises when something that a client may rely on changes."""

GROUPS: Final[Mapping[str, Mapping[tuple[str, str], Operation]]] = {
    "Jobs": JOBS,
    "Workers": LEASES,
    "Queues": QUEUES,
    "Schedules": SCHEDULES,
    "Server": SERVER,
}
"""All operations, in the order in which people read them."""

_REF: Final = "#/components/schemas/{name}"
_PROBLEM: Final = {"$ref": _REF.format(name="ProblemView")}
_QUEUE_NAME: Final[Json] = {"type": "string", "pattern": QUEUE_NAME_PATTERN}
_PATH_SCHEMAS: Final[Mapping[str, Json]] = {
    "/jobs/{id}": {"type": "string", "format": "uuid"},
    "/workers/{id}": {
        "type": "string",
        "minLength": 1,
        "maxLength": 255,
        "pattern": "^[^/\\u0000]*$",
    },
    "/queues/{name}": _QUEUE_NAME,
    "/schedules/{name}": _QUEUE_NAME,
}


class Document:
    """Serves the description."""

    def __init__(self) -> None:
        """Make it when it is first asked for: it takes a moment, and few ask."""
        self._made: dict[str, bytes] = {}

    async def get(self, request: Request) -> Response:
        """Answer with the description; paths are under where the application is mounted."""
        root = request.root
        if root not in self._made:
            # One entry: the application is mounted once, and a strange root is no reason to grow.
            self._made = {root: msgspec.json.encode(document(root))}
        return Response(200, self._made[root])


def document(root: str = "") -> Json:
    """Return the OpenAPI document of the routes under ``root``: the caller's own, to do with as it likes."""
    paths: dict[str, Json] = {}
    for tag, operations in GROUPS.items():
        for (method, path), operation in operations.items():
            entry = paths.setdefault(path, _path_parameters(path))
            entry[method.lower()] = _operation(method, path, tag, operation)
    made: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": "actorq",
            "version": API_VERSION,
            "description": "A job queue: jobs are made, taken under leases, and settled.",
        },
        "servers": [{"url": root or "/"}],
        "tags": [{"name": tag} for tag in GROUPS],
        "paths": paths,
        "components": {"schemas": _schemas()},
    }
    # The examples and some schemas are shared: a reader that fills them in must not change the next document.
    return deepcopy(made)


def _path_parameters(path: str) -> Json:
    for prefix, schema in _PATH_SCHEMAS.items():
        if path.startswith(prefix):
            name = prefix.rpartition("{")[2].rstrip("}")
            parameter = {"name": name, "in": "path", "required": True, "schema": schema}
            return {"parameters": [parameter]}
    return {}


def _operation(method: str, path: str, tag: str, operation: Operation) -> Json:
    made: Json = {
        "operationId": _operation_id(method, path),
        "tags": [tag],
        "summary": operation.about,
        "responses": {
            **{str(status): _answer(answer) for status, answer in operation.answers.items()},
            **_refusals(operation.errors(method)),
        },
    }
    if operation.details:
        made["description"] = operation.details
    if operation.parameters:
        made["parameters"] = [_parameter(parameter) for parameter in operation.parameters]
    if operation.body is not None:
        made["requestBody"] = _body(operation, operation.body)
    return made


def _operation_id(method: str, path: str) -> str:
    parts = [part.strip("{}").removesuffix(".json") for part in path.split("/") if part]
    return "_".join([method.lower(), *parts])


def _parameter(parameter: Parameter) -> Json:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.about,
        "schema": parameter.schema,
    }


def _body(operation: Operation, body: type) -> Json:
    media: Json = {"schema": _ref(body)}
    if operation.example is not None:
        media["example"] = operation.example
    return {"required": operation.must, "content": {"application/json": media}}


def _answer(answer: Answer) -> Json:
    made: Json = {"description": answer.about}
    if answer.headers:
        made["headers"] = {
            name: {"description": about, "schema": {"type": "string"}}
            for name, about in answer.headers.items()
        }
    if answer.views or answer.lists:
        media: Json = {"schema": _view(answer)}
        if answer.example is not None:
            media["example"] = answer.example
        made["content"] = {"application/json": media}
    return made


def _view(answer: Answer) -> Json:
    forms = [_ref(view) for view in answer.views]
    forms += [_list_of(view) for view in answer.lists]
    return forms[0] if len(forms) == 1 else {"anyOf": forms}


def _list_of(view: type) -> Json:
    return {"type": "array", "items": _ref(view)}


def _refusals(errors: Iterable[type[ActorqError]]) -> Json:
    """Return the refusals by status, each with the codes that it may have."""
    by_status: dict[int, list[type[ActorqError]]] = {}
    for error in errors:
        by_status.setdefault(KINDS[error].status, []).append(error)
    made: Json = {}
    for status in sorted(by_status):
        made[str(status)] = _refusal(status, by_status[status])
    return made


def _refusal(status: int, errors: list[type[ActorqError]]) -> Json:
    first, kind = errors[0], KINDS[errors[0]]
    example = {
        "type": f"urn:actorq:problem:{first.code}",
        "title": kind.title,
        "status": status,
        "detail": f"{kind.title}: what exactly, in a sentence",
        "code": first.code,
        "retryable": first.retryable,
        "request_id": "5f0c9d1e-17",
    }
    made: Json = {
        "description": "; ".join(f"`{error.code}`: {KINDS[error].title}" for error in errors),
        "content": {"application/problem+json": {"schema": _PROBLEM, "example": example}},
    }
    if any(KINDS[error].retry_after is not None for error in errors):
        made["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "string"}}}
    return made


def _ref(view: type) -> Json:
    return {"$ref": _REF.format(name=view.__name__)}


def _schemas() -> Json:
    """Return the schemas of all types that the operations and each other name."""
    types: list[type] = [ProblemView, JobView, PrunedView, EnqueueBody, SettleItem]
    for operations in GROUPS.values():
        for operation in operations.values():
            if operation.body is not None:
                types.append(operation.body)
            for answer in operation.answers.values():
                types += [*answer.views, *answer.lists]
    _, schemas = msgspec.json.schema_components(dict.fromkeys(types), ref_template=_REF)
    into_branches(schemas)
    # Either of two names will do, which the type cannot say.
    schemas["EnqueueBody"]["anyOf"] = [{"required": ["queue_name"]}, {"required": ["queue"]}]
    for name, meanings in {**MEANINGS, **SCHEDULE_MEANINGS}.items():
        for field, meaning in meanings.items():
            schemas[name]["properties"][field]["description"] = meaning
    for schema in schemas.values():
        # What is code in a docstring is code in Markdown.
        schema["description"] = schema["description"].replace("``", "`")
    return {**schemas}
