"""The description of the API: complete, valid, and true to what is served."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import jsonschema_rs
import msgspec
import pytest

from actorq.http import AppOptions
from actorq.http.app import routes
from actorq.http.openapi import document
from tests.http.door import Door, open_door

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.face import JobQueue

    Json = dict[str, object]


def part(value: object, *path: str) -> Json:
    """Return the object at ``path`` inside a document."""
    for name in path:
        value = cast("Json", value)[name]
    return cast("Json", value)


def operations() -> Iterator[tuple[str, str, Json]]:
    """Walk over all operations of the document."""
    for path, entry in part(document(), "paths").items():
        for method, operation in cast("Json", entry).items():
            if method != "parameters":
                yield method.upper(), path, cast("Json", operation)


OPERATIONS = [pytest.param(*one, id=f"{one[0]} {one[1]}") for one in operations()]


async def served(door: Door) -> Json:
    """Return the document as it is served."""
    answer = await door.call("GET", "/openapi.json")
    assert answer.status == 200
    return answer.read(dict[str, object])


async def test_the_document_is_served() -> None:
    """GET /openapi.json is the OpenAPI 3.1 document, as often as it is asked for (§9)."""
    async with open_door() as door:
        first = await served(door)
        assert first["openapi"] == "3.1.0"
        assert await served(door) == first
        assert first == msgspec.json.decode(msgspec.json.encode(document()))


def test_every_route_is_described() -> None:
    """The routes and the operations are the same (§9)."""
    queue = cast("JobQueue", None)
    listed = {(route.method, route.path) for route in routes(queue, AppOptions())}
    assert {(method, path) for method, path, _ in operations()} == listed


def test_operations_have_names_of_their_own() -> None:
    """Each operation has an id that a generated client can use."""
    names = [str(operation["operationId"]) for _, _, operation in operations()]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_refusal_is_described(method: str, path: str, operation: Json) -> None:
    """Every operation names 500 and 503, one with a body 400 to 422, each as a problem (§9)."""
    responses = part(operation, "responses")
    expected = {"500", "503"}
    if "requestBody" in operation:
        expected |= {"400", "408", "413", "415", "422"}
    if path.startswith("/jobs/{id}"):
        expected |= {"404"}
    assert expected <= set(responses), (method, path)
    for status, response in responses.items():
        if int(status) >= 400:
            assert list(part(response, "content")) == ["application/problem+json"]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_examples_are_what_the_schemas_say(method: str, path: str, operation: Json) -> None:
    """Every example is valid under its own schema, and every answer with a body has one (§9)."""
    components = part(document(), "components")
    holders = [*part(operation, "responses").values(), operation.get("requestBody", {})]
    seen = 0
    for holder in holders:
        for media in part(holder, "content").values() if "content" in part(holder) else ():
            schema = {**part(media, "schema"), "components": components}
            if "example" in part(media):
                validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
                validator.validate(part(media)["example"])
                seen += 1
    assert seen >= len(part(operation, "responses")) - 2, (method, path)


def test_a_document_belongs_to_who_asked_for_it() -> None:
    """What a reader writes into a document is not in the next one (§9)."""
    first = document()
    example = part(
        first, "paths", "/jobs/{id}/ack", "post", "requestBody", "content", "application/json"
    )
    part(example, "example")["lease"] = "mine"
    part(first, "components", "schemas", "ProblemView")["type"] = "mine"
    assert b'"mine"' not in msgspec.json.encode(document())


def test_every_schema_is_a_schema() -> None:
    """The schemas are valid JSON Schema of 2020-12, and every reference leads somewhere."""
    schemas = part(document(), "components", "schemas")
    for schema in schemas.values():
        jsonschema_rs.meta.validate(part(schema))
    text = msgspec.json.encode(document()).decode()
    for name in text.split('"$ref":"')[1:]:
        reference = name.partition('"')[0]
        assert reference.removeprefix("#/components/schemas/") in schemas


def test_what_is_strict_says_so() -> None:
    """A body's schema forbids what the door refuses, and knows its bounds (§1, §9)."""
    schema = part(document(), "components", "schemas", "EnqueueBody")
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["payload"]
    priority = part(schema, "properties", "priority")
    assert (priority["minimum"], priority["maximum"]) == (-(2**31), 2**31 - 1)
