"""Reading JSON strictly: one error family, JSON pointers, no duplicate keys, no surprises."""

import json
import re
from typing import Final, TypeVar

import msgspec

from actorq.errors import ActorqError, InvalidInput

T = TypeVar("T")

_PLACE = re.compile(r"^(?P<message>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>.*)`", re.DOTALL)
_PAYLOAD_ADVICE: Final = (
    "must be a JSON string: encode structured data first, "
    "for example with JSON.stringify or json.dumps"
)


class NotJson(ActorqError, ValueError):
    """The body is not JSON in UTF-8 at all."""

    code = "not_json"


class _DuplicateKey(Exception):
    """An object names one member twice: parsers differ on which counts, so none does here."""


def decode(data: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode one JSON document; raises ``NotJson``, or ``InvalidInput`` with a JSON pointer."""
    try:
        value = decoder.decode(data)
    except msgspec.ValidationError as error:
        refuse_malformed(data)
        raise invalid(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotJson(f"the body is not valid JSON: {_one_line(str(error))}") from None
    except RecursionError:
        raise NotJson("the body is nested too deeply") from None
    refuse_malformed(data)
    return value


def refuse_malformed(data: bytes) -> None:
    """Raise for what the typed decoder passes over: duplicate keys, and faults behind the first."""
    try:
        json.loads(
            data,
            object_pairs_hook=_unique,
            # Numbers stay text: 5,000 digits raise in int(), and no value is wanted here.
            parse_int=str,
            parse_float=str,
            parse_constant=_refuse_constant,
        )
    except _DuplicateKey as error:
        raise InvalidInput("", f"names the member {error.args[0]!r:.80} twice") from None
    except RecursionError:
        raise NotJson("the body is nested too deeply") from None
    except ValueError as error:
        raise NotJson(f"the body is not valid JSON: {_one_line(str(error))}") from None


def invalid(error: msgspec.ValidationError) -> InvalidInput:
    """Turn a decoder's complaint into ours, with a JSON pointer."""
    match = _PLACE.match(str(error))
    message, path = (match["message"], match["path"] or "$") if match else (str(error), "$")
    pointer = path.removeprefix("$").replace("[...]", "/*").replace(".", "/")
    pointer = re.sub(r"\[(\d+)\]", r"/\1", pointer)
    if unknown := _UNKNOWN.match(message):
        return InvalidInput(f"{pointer}/{unknown['name']}", "is not a field that is known here")
    if missing := _MISSING.match(message):
        return InvalidInput(f"{pointer}/{missing['name']}", "is required")
    if pointer == "/payload":
        return InvalidInput(pointer, _PAYLOAD_ADVICE)
    return InvalidInput(pointer, _one_line(message[:1].lower() + message[1:]))


def _unique(pairs: list[tuple[str, object]]) -> None:
    if len(pairs) != len({name for name, _ in pairs}):
        names = [name for name, _ in pairs]
        raise _DuplicateKey(next(name for name in names if names.count(name) > 1))


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _one_line(message: str) -> str:
    return " ".join(message.split())[:300]
