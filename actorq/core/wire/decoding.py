"""Reading JSON strictly: one error family, JSON pointers, no duplicate keys, no surprises."""

import json
import math
import re
from collections.abc import Sequence
from typing import Final, Generic, TypeVar

import msgspec

from actorq.errors import ActorqError, InvalidInput

T = TypeVar("T")

MAX_VALUES: Final = 1_000_000
"""How many values one body may hold: what is checked in a few tenths of a second."""

_PLACE = re.compile(r"^(?P<message>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>.*)`", re.DOTALL)
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_TYPE = re.compile(r"`(?P<names>[a-z| ]+)`")
_JSON_NAMES: Final = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
}
_PAYLOAD_ADVICE: Final = (
    "must be a JSON string: encode structured data first, "
    "for example with JSON.stringify or json.dumps"
)
_LONGEST_NAME: Final = 128
_BLANKS: Final = " \t\n\r"
_MOST_NAMED: Final = 100
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANY = msgspec.json.Decoder(msgspec.Raw)


class NotJson(ActorqError, ValueError):
    """The body is not JSON in UTF-8 at all."""

    code = "not_json"


class UnknownFields(InvalidInput):
    """An object has members that are not known; ``places`` are their pointers, the first hundred."""

    def __init__(self, pointer: str, names: list[str], known: Sequence[str] = ()) -> None:
        """Name the first as the place; ``known`` are the members that there might be."""
        # A body of 16 MiB has room for a million: its refusal must not be larger than itself.
        self.places = [pointer_to(pointer, name) for name in names[:_MOST_NAMED]]
        self._known = f"; known are {', '.join(known)}" if known else ""
        super().__init__(self.places[0], "is not a field that is known here")

    def __str__(self) -> str:
        return super().__str__() + self._known


class _DuplicateKey(Exception):
    """An object names one member twice: parsers differ on which counts, so none does here."""


class _NumberOutOfRange(Exception):
    """A number that few parsers can hold: nobody who reads it back shall stumble over it."""


class Reader(Generic[T]):
    """Reads JSON documents of one type; made once for each."""

    def __init__(self, kind: type[T]) -> None:
        """Read documents that are a ``kind``."""
        self._decoder = msgspec.json.Decoder(kind)
        known: tuple[str, ...] = getattr(kind, "__struct_encode_fields__", ())
        self._known = known

    def read(self, data: bytes) -> T:
        """Read one document; raises ``NotJson``, or ``InvalidInput`` with a JSON pointer."""
        value = self.read_part(data)
        _refuse_malformed(data)
        return value

    def read_part(self, data: bytes | msgspec.Raw) -> T:
        """Read what a document held that was read strictly already."""
        try:
            return self._decoder.decode(data)
        except msgspec.ValidationError as error:
            raise self._refusal(bytes(data), error) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _not_json(bytes(data), error) from None
        except RecursionError:
            raise NotJson("the body is nested too deeply") from None

    def _refusal(self, data: bytes, error: msgspec.ValidationError) -> ActorqError:
        """Say what is wrong; a fault of the syntax behind it weighs more."""
        try:
            _ANY.decode(data)
            data.decode()
            refusal = _invalid(error)
            if isinstance(refusal, UnknownFields) and "/" not in refusal.places[0][1:]:
                return self._all_unknown(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as fault:
            return _not_json(data, fault)
        except RecursionError:
            return NotJson("the body is nested too deeply")
        return refusal

    def _all_unknown(self, data: bytes) -> UnknownFields:
        names = [name for name in _MEMBERS.decode(data) if name not in self._known]
        return UnknownFields("", names, self._known)


def pointer_to(parent: str, name: str) -> str:
    """Return the JSON pointer of a member (RFC 6901); a very long name is cut."""
    cut = name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…"
    return f"{parent}/{cut.replace('~', '~0').replace('/', '~1')}"


def _refuse_malformed(data: bytes) -> None:
    """Raise for what the typed decoder passes over, in a document whose syntax is sound."""
    if data.count(b",") > MAX_VALUES and _STRING.sub(b"", data).count(b",") > MAX_VALUES:
        raise InvalidInput("", f"must not hold more than {MAX_VALUES} values")
    try:
        # Decoded here, as the parser itself would let encoded surrogates pass. What stands around the
        # document was looked at before, and looking again would take longer than all the rest.
        _strict.raw_decode(data.decode().lstrip(_BLANKS))
    except _DuplicateKey as error:
        raise InvalidInput("", f"names the member {error.args[0]!r:.80} twice") from None
    except _NumberOutOfRange as error:
        raise InvalidInput("", f"holds a number out of range: {error}") from None
    except RecursionError:
        raise NotJson("the body is nested too deeply") from None
    except ValueError as error:
        raise _not_json(data, error) from None


def _unique(pairs: list[tuple[str, object]]) -> None:
    if len(pairs) != len({name for name, _ in pairs}):
        names = [name for name, _ in pairs]
        raise _DuplicateKey(next(name for name in names if names.count(name) > 1))


def _integer(text: str) -> None:
    # No value is made of it, as it may have thousands of digits; a double has up to 309.
    if len(text) > 300:  # noqa: PLR2004 - the comment above
        _number(text)


def _number(text: str) -> None:
    if not math.isfinite(float(text)):
        raise _NumberOutOfRange(text[:40])


_strict = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_integer, parse_float=_number)


def _invalid(error: msgspec.ValidationError) -> InvalidInput:
    """Turn a decoder's complaint into ours, with a JSON pointer."""
    match = _PLACE.match(str(error))
    message, path = (match["message"], match["path"] or "$") if match else (str(error), "$")
    pointer = path.removeprefix("$").replace("[...]", "/*").replace(".", "/")
    pointer = re.sub(r"\[(\d+)\]", r"/\1", pointer)
    if unknown := _UNKNOWN.match(message):
        return UnknownFields(pointer, [unknown["name"]])
    if missing := _MISSING.match(message):
        return InvalidInput(f"{pointer}/{missing['name']}", "is required")
    if pointer == "/payload":
        return InvalidInput(pointer, _PAYLOAD_ADVICE)
    message = _TYPE.sub(_in_json_words, message)
    message = _one_line(message[:1].lower() + message[1:])
    # Of a value in a map the decoder does not say whose it is.
    place, in_map, _ = pointer.partition("/*")
    return InvalidInput(place, f"holds a wrong value: {message}" if in_map else message)


def _in_json_words(match: re.Match[str]) -> str:
    names = [_JSON_NAMES.get(name, name) for name in match["names"].split(" | ")]
    return " or ".join(names)


def _not_json(data: bytes, error: Exception) -> NotJson:
    if not data.strip():
        return NotJson("the body is empty: a JSON object is expected")
    return NotJson(f"the body is not valid JSON: {_one_line(str(error))}")


def _one_line(message: str) -> str:
    return " ".join(message.split())[:300]
