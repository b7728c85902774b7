"""Writes the page that is made from the description of the API: ``python docs/http.py``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, cast

from actorq.http.openapi import document

PAGE: Final = Path(__file__).parent / "reference" / "http.md"

Json = dict[str, object]

_HEAD: Final = """\
# HTTP

<!-- Made from actorq/http/openapi by docs/http.py: change that, then run it. -->

JSON in UTF-8, both ways. The same as an OpenAPI 3.1 document, for programs: `GET /openapi.json`.

- A body that may be left out may be empty, with any `Content-Type`. A body that is there is JSON, sent as
  `application/json` (or without a type). Members that are not known are refused by name.
- A duration is seconds as a number, or text such as `"300s"`, `"5m"`, `"1h30m"`. Instants are RFC 3339.
  Statuses are understood in any case.
- Every answer has `X-Request-Id`: yours, if you sent one of up to 128 letters, digits and `._:-`.
- `GET` routes answer `HEAD` too. `429` and `503` say in `Retry-After` when to come again.
- What a browser sends for a page of another origin is refused where it would change something.
- Under a path of another application all routes are below that path.

A refusal is a problem document (RFC 9457) of the type `application/problem+json`:

```json
{
  "type": "urn:actorq:problem:invalid_input",
  "title": "Invalid input",
  "status": 422,
  "detail": "/priority: must be an integer from -2147483648 to 2147483647",
  "code": "invalid_input",
  "retryable": false,
  "errors": [
    {
      "pointer": "/priority",
      "message": "must be an integer from -2147483648 to 2147483647"
    }
  ],
  "request_id": "5f0c9d1e-17"
}
```

Compare `code`: it is stable. `errors` names what was found wrong by its JSON pointer, which need not be all
of it; a parameter of the query is named like a member. The refusals of each route are all listed, but for
those that are everywhere the same: `404 no_such_route`, `405 method_not_allowed`, and the last section.
"""

_COMMON: Final = ("400", "403", "408", "413", "415", "500", "503")
_SHOWN_SCHEMAS: Final = {
    "JobView": "A job",
    "LeaseView": "A lease",
    "ErrorView": "An entry of a history",
    "PrunedView": "A pruned job",
    "PageView": "A page",
    "BatchView": "Results",
    "ItemView": "A result",
    "BackoffBody": "A backoff",
    "SettleItem": "A settlement",
    "HeartbeatItem": "A lease to renew",
    "HeartbeatView": "Leases after a heartbeat",
    "HeldView": "A lease after a heartbeat",
    "QueueView": "Figures of a queue",
    "LengthView": "Length of a queue",
    "SettingsView": "Settings of a queue",
    "RetentionBody": "A retention",
    "RemovedView": "A removal",
    "ScheduledJobBody": "A job of a schedule",
    "ScheduleView": "A schedule",
    "ScheduledJobView": "What a schedule makes",
    "SchedulesView": "A page of schedules",
    "TicksView": "Ticks",
    "HealthView": "Health",
    "ReadyView": "Readiness",
    "ProblemView": "A problem",
    "ProblemPlace": "A place",
}
_SAME_AS: Final = {"Backoff": "BackoffBody", "Retention": "RetentionBody", "LeaseBody": "LeaseView"}


def at(value: object, *path: str) -> Json:
    """Return the object at ``path`` inside a document."""
    for name in path:
        value = cast("Json", value)[name]
    return cast("Json", value)


def listed(value: object) -> list[Json]:
    """Return a list of objects."""
    return cast("list[Json]", value)


def page() -> str:
    """Return the whole page."""
    made = document()
    parts = [_HEAD]
    for tag in listed(made["tags"]):
        parts.append(f"## {tag['name']}\n")
        for path, entry in at(made, "paths").items():
            for method, operation in at(entry).items():
                if method != "parameters" and tag["name"] in cast(
                    "list[str]", at(operation)["tags"]
                ):
                    parts.append(_operation(made, f"{method.upper()} {path}", at(operation)))
    parts.append("## Types\n")
    for name, title in _SHOWN_SCHEMAS.items():
        parts.append(f"### {title}\n\n" + _fields(at(made, "components", "schemas", name)))
    parts.append(_common(made))
    return "\n".join(parts)


def _operation(made: Json, route: str, operation: Json) -> str:
    lines = [
        f"### {route}\n",
        f"{operation['summary']}. {operation.get('description', '')}".strip(),
        "",
    ]
    if parameters := listed(operation.get("parameters", [])):
        lines += ["| parameter | | meaning |", "|---|---|---|"]
        lines += [
            f"| `{one['name']}` | {one['in']}, {_type(at(one, 'schema'))} | {one['description']} |"
            for one in parameters
        ]
        lines.append("")
    if "requestBody" in operation:
        lines += _body(made, at(operation, "requestBody"))
    lines += ["| answer | |", "|---|---|"]
    for status, response in at(operation, "responses").items():
        if status not in _COMMON:
            lines.append(f"| {status} | {_meaning(at(response))} |")
    return "\n".join([*lines, ""])


def _meaning(response: Json) -> str:
    text = str(response["description"])
    if "headers" in response:
        headers = [f"`{name}`" for name in at(response, "headers")]
        text = f"{text.rstrip('.')}. Headers: {', '.join(headers)}."
    media = at(response, "content") if "content" in response else {}
    if "application/json" in media:
        schema = at(media, "application/json", "schema")
        text += f" Body: {_type(schema)}."
    return text


def _body(made: Json, body: Json) -> list[str]:
    media = at(body, "content", "application/json")
    name = str(at(media, "schema")["$ref"]).rpartition("/")[2]
    schema = at(made, "components", "schemas", name)
    if not schema["properties"]:
        return []
    lines = [] if body["required"] else ["The body may be left out.\n"]
    if "example" in media:
        lines += ["```json", json.dumps(media["example"], indent=2), "```", ""]
    return [*lines, _fields(schema)]


def _fields(schema: Json) -> str:
    """Return the table of an object's members."""
    required = cast("list[str]", schema["required"])
    lines = ["| field | type | meaning |", "|---|---|---|"]
    for name, field in at(schema, "properties").items():
        shown = at(field)
        needed = (
            " **required**"
            if name in required and schema.get("additionalProperties") is False
            else ""
        )
        default = shown.get("default")
        usual = "" if default is None else f" Default: `{json.dumps(default)}`."
        meaning = str(shown.get("description", "")) + usual + needed
        lines.append(f"| `{name}` | {_type(shown)} | {meaning.strip()} |")
    return "\n".join([*lines, ""])


def _link(schema: Json) -> str:
    """Return a link to the table of the type that ``schema`` refers to."""
    name = str(schema["$ref"]).rpartition("/")[2]
    if name == "EnqueueBody":
        return "[a job to make](#post-jobs)"
    title = _SHOWN_SCHEMAS[_SAME_AS.get(name, name)]
    return f"[{title.lower()}](#{title.lower().replace(' ', '-')})"


def _type(schema: Json) -> str:
    """Return a schema in words."""
    if "enum" in schema:
        words = [str(word) for word in cast("list[object]", schema["enum"]) if word is not None]
        return " · ".join(f"`{word}`" for word in words)
    if "$ref" in schema:
        return _link(schema)
    if "format" in schema:
        return str(schema["format"])
    if "anyOf" in schema:
        return _one_of([one for one in listed(schema["anyOf"]) if one.get("type") != "null"])
    if schema.get("type") == "array":
        return f"list of {_type(at(schema, 'items'))}"
    kind = str(schema.get("type", "any JSON"))
    bounds = [f"{schema[name]}" for name in ("minimum", "maximum") if name in schema]
    return f"{kind}, {' to '.join(bounds)}" if len(bounds) > 1 else kind


def _one_of(forms: list[Json]) -> str:
    # Nothing else may be a number or a text.
    if [one.get("type") for one in forms] == ["number", "string"]:
        return "duration"
    return " or ".join(_type(one) for one in forms)


def _common(made: Json) -> str:
    """Return the refusals that are the same everywhere, from a route that has them all."""
    responses = at(made, "paths", "/jobs", "post", "responses")
    lines = ["## Refusals of every route\n", "| answer | |", "|---|---|"]
    lines += [f"| {status} | {at(responses, status)['description']} |" for status in _COMMON]
    lines.append(
        "\n400, 408, 413 and 415 only where there is a body, 403 only where something would change."
    )
    return "\n".join([*lines, ""])


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
