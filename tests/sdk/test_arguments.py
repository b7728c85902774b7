"""Arguments travel as JSON, by the types of the function's signature."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypedDict
from uuid import UUID

import msgspec
import pytest

from actorq import App, Context, InvalidInput, TaskError, injected
from actorq.sdk.json_types import NotJson

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from actorq import Task


class Color(enum.Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    y: int = 0


class Line(msgspec.Struct):
    points: list[Point]
    color: Color = Color.RED


class Pair(NamedTuple):
    left: int
    right: int


class Options(TypedDict, total=False):
    deep: bool


class Opaque:
    """A class that JSON knows nothing of."""


def sent(task: Task[..., Any], *args: object, **kwargs: object) -> tuple[object, object]:
    """Return what a call's payload says, and what a worker would call the function with."""
    payload = task.call(*args, **kwargs).draft.payload
    return json.loads(payload), tuple(task.definition.signature.arguments.read(payload))


NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
ID = UUID(int=7)


def everything(  # noqa: PLR0913, PLR0917 - one of each kind
    line: Line,
    point: Point,
    pair: Pair,
    options: Options,
    at: datetime,
    span: timedelta,
    who: UUID,
    price: Decimal,
    data: bytes,
    tags: set[str],
    color: Color | None,
    count: Annotated[int, msgspec.Meta(ge=1)] = 1,
) -> None:
    """Take an argument of each kind."""


def test_values_come_back_as_what_they_were() -> None:
    """Dataclasses, structs, moments, ids, enumerations: what the handler gets equals what was given."""
    given: dict[str, object] = {
        "line": Line([Point(1, 2), Point(3)]),
        "point": Point(4),
        "pair": Pair(1, 2),
        "options": {"deep": True},
        "at": NOON,
        "span": timedelta(days=1, microseconds=1),
        "who": ID,
        "price": Decimal("1.10"),
        "data": b"\0\xff",
        "tags": {"a", "b"},
        "color": Color.RED,
        "count": 2**70,
    }
    task = App().task(everything)
    assert sent(task, **given)[1] == ((), given)


def test_a_payload_is_an_object_of_what_was_given() -> None:
    """Programs in other languages write it too: a member for each argument, defaults left out."""

    def send(to: str, subject: str = "hello", *, at: datetime | None = None) -> None:
        del to, subject, at

    task = App().task(send)
    assert sent(task, "a@b.c") == ({"to": "a@b.c"}, ((), {"to": "a@b.c"}))
    assert sent(task, "a", "b", at=NOON)[0] == {
        "to": "a",
        "subject": "b",
        "at": "2026-01-31T12:00:00Z",
    }
    assert sent(task, to="a", subject="b")[0] == {"to": "a", "subject": "b"}


def test_every_kind_of_parameter_is_called_as_it_must_be() -> None:
    """Positional-only, variadic and keyword-only parameters get what is theirs."""

    def odd(a: int, /, b: int, c: int = 3, *rest: Point, d: int, e: int = 5, **more: int) -> None:
        del a, b, c, rest, d, e, more

    task = App().task(odd)
    payload, called = sent(task, 1, 2, 30, Point(1), Point(2), d=4, x=9)
    assert payload == {
        "a": 1, "b": 2, "c": 30, "d": 4, "more": {"x": 9},
        "rest": [{"x": 1, "y": 0}, {"x": 2, "y": 0}],
    }  # fmt: skip
    assert called == ((1, 2, 30, Point(1), Point(2)), {"d": 4, "x": 9})
    assert sent(task, 1, b=2, d=4) == ({"a": 1, "b": 2, "d": 4}, ((1, 2), {"d": 4}))


def test_defaults_are_those_of_who_runs_it() -> None:
    """An argument that was not given is left to the function, so that a deploy may change it."""

    def new(a: int, b: int = 2) -> None:
        del a, b

    arguments = App().task(new).definition.signature.arguments
    assert arguments.read('{"a": 1}') == ((), {"a": 1})


@pytest.mark.parametrize(
    "payload",
    ['{"a": "1"}', "{}", '{"a": 1, "z": 2}', "[1]", "1", "", "{", '{"a": 1, "b": null}', "\ud800"],
)
def test_what_does_not_fit_is_refused_by_the_worker(payload: str) -> None:
    """A payload that is no JSON, lacks an argument, or has one of the wrong type is told apart."""

    def add(a: int, b: int = 2) -> None:
        del a, b

    with pytest.raises(NotJson):
        App().task(add).definition.signature.arguments.read(payload)


@pytest.mark.parametrize(
    ("args", "kwargs", "error", "words"),
    [
        ([], {}, TypeError, "add: missing a required argument: 'a'"),
        ([1, 2, 3], {}, TypeError, "add: too many positional arguments"),
        ([1], {"z": 3}, TypeError, "add: got an unexpected keyword argument 'z'"),
        ([], {"a": 1, "z": 3}, TypeError, "add: got an unexpected keyword argument 'z'"),
        (["1"], {}, InvalidInput, r"add: Expected `int`.*\$\.a"),
        ([1, float("nan")], {}, InvalidInput, "add: NaN and infinity"),
        ([1, object()], {}, InvalidInput, "add: .*object"),
    ],
)
def test_wrong_arguments_are_refused_where_they_are_given(
    args: list[Any], kwargs: dict[str, Any], error: type[Exception], words: str
) -> None:
    """Not in a worker, later: the call names the task and what is wrong (also NaN, which JSON has not)."""

    def add(a: int, b: float | None = 0.0) -> None:
        del a, b

    task: Task[..., Any] = App().task(add)
    with pytest.raises(error, match=words):
        task.call(*args, **kwargs)


def bare(x: int) -> None:
    del x


del bare.__annotations__["x"]


def opaque(x: Opaque) -> None:
    del x


def deep(x: dict[str, list[Opaque]]) -> None:
    del x


def function(*x: type[int]) -> None:
    del x


def keys(x: dict[tuple[int, int], int]) -> None:
    del x


def unions(x: str | datetime | int) -> None:
    del x


def answer() -> Opaque:
    return Opaque()


def missing(x: int) -> None:
    del x


missing.__annotations__["x"] = "Nowhere"


def shifted(context: Context = injected, x: int = 1) -> None:
    del context, x


async def streaming(x: int) -> AsyncIterator[int]:
    yield x


@pytest.mark.parametrize(
    ("refused", "words"),
    [
        (bare, "task bare, parameter 'x' needs a type"),
        (opaque, "task opaque, parameter 'x' cannot be JSON: Opaque"),
        (deep, "task deep, parameter 'x' cannot be JSON: Opaque"),
        (function, "task function, parameter 'x' cannot be JSON: type"),
        (keys, "task keys, parameter 'x' cannot be JSON: the keys"),
        (unions, "task unions, parameter 'x' cannot be JSON: Type unions"),
        (answer, "task answer, its result cannot be JSON: Opaque"),
        (missing, "task missing, parameter 'x': name 'Nowhere' is not defined; .*at run time"),
        (shifted, "task shifted, parameter 'context': stands before 'x'"),
        (streaming, "task streaming: must not yield"),
        (Opaque, "must be a plain function"),
    ],
)
def test_what_cannot_be_encoded_is_refused_at_its_decoration(
    refused: Callable[..., Any], words: str
) -> None:
    """The error names the task and the parameter, and comes when the module is imported."""
    with pytest.raises(TaskError, match=words):
        App().task(refused)
