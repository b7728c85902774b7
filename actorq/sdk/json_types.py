"""JSON by types: which types have a form in JSON, and values written and read by them, strictly."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

import msgspec
from msgspec import inspect

from actorq.errors import ActorqError
from actorq.sdk.errors import TaskError

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

_KEYS: Final = (
    inspect.AnyType,
    inspect.StrType,
    inspect.IntType,
    inspect.FloatType,
    inspect.BytesType,
    inspect.DateTimeType,
    inspect.DateType,
    inspect.TimeType,
    inspect.TimeDeltaType,
    inspect.UUIDType,
    inspect.DecimalType,
    inspect.EnumType,
    inspect.LiteralType,
)
"""What may be the key of a map."""


class NotJson(ActorqError, ValueError):
    """A value that has no form in JSON, or JSON that is not of the type that it should be."""

    code = "not_json"


class JsonType(Generic[T]):
    """Reads JSON of one type."""

    def __init__(self, kind: object, where: str) -> None:
        """Take a type as an annotation gives it; raises ``TaskError`` that begins with ``where``."""
        reason = _refusal(kind)
        if reason:
            raise TaskError(f"{where} cannot be JSON: {reason}")
        self._decoder = cast("msgspec.json.Decoder[T]", msgspec.json.Decoder(cast("Any", kind)))

    def read(self, data: bytes | str) -> T:
        """Read one value; raises ``NotJson``, which says where it is wrong."""
        try:
            return self._decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise NotJson(str(error)) from None


def write(value: object) -> bytes:
    """Write a value; raises ``NotJson`` for one that has no form in JSON, as infinity has none."""
    try:
        data = msgspec.json.encode(value)
        # The encoder writes NaN and infinity as null, which would be read as another value.
        if b"null" in data and not _is_finite(msgspec.to_builtins(value, str_keys=True)):
            raise NotJson("NaN and infinity have no form in JSON")
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise NotJson(str(error)) from None
    return data


def _is_finite(value: object) -> bool:
    match value:
        case float():
            return math.isfinite(value)
        case dict():
            return all(_is_finite(each) for each in cast("dict[str, object]", value).values())
        case list() | tuple():
            return all(_is_finite(each) for each in cast("list[object]", value))
        case _:
            return True


def _refusal(kind: object) -> str:
    """Say why a type has no form in JSON; nothing if it has one."""
    try:
        top = inspect.type_info(cast("Any", kind))
    except (TypeError, NameError) as error:
        return str(error)
    for node in _nodes(top):
        if isinstance(node, inspect.CustomType):
            return f"{node.cls.__qualname__} is no type that JSON is made of"
        if isinstance(node, inspect.ExtType):
            return "an extension of MessagePack is none of JSON's"
        if isinstance(node, inspect.DictType) and not isinstance(node.key_type, _KEYS):
            return "the keys of a map must be text, or what has a form in text"
    return ""


def _nodes(top: object) -> Iterator[object]:
    """Go through a type and all that it is made of, once each: types may hold themselves."""
    seen: set[int] = set()
    left = [top]
    while left:
        node = left.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, (inspect.Type, inspect.Field)):
            yield node
            left += [getattr(node, name) for name in node.__struct_fields__]
        elif isinstance(node, tuple):
            left += cast("tuple[object, ...]", node)
