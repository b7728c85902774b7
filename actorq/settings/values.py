"""What one setting is: its name in each source, what is allowed, and how its text is read."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Final, Literal, get_args, get_origin, get_type_hints

import msgspec

from actorq.core.instants import parse_duration
from actorq.errors import InvalidInput

Value = str | int | float | bool
"""What a setting's value may be, once it is read."""

_WORDS: Final = {
    "true": True, "yes": True, "on": True, "1": True,
    "false": False, "no": False, "off": False, "0": False,
}  # fmt: skip
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_DURATION_HINT: Final = ', in seconds or as text like "30s", "5m" or "1h30m"'
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"))


class Refused(Exception):
    """A value is not allowed; the message says what is, and never holds the value itself."""


class Kind(StrEnum):
    """How a setting's text is read."""

    CHOICE = "one of"
    SWITCH = "switch"
    NUMBER = "number"
    DURATION = "duration"
    TEXT = "text"


class About(msgspec.Struct, frozen=True):
    """What a setting's declaration says besides its name, type and default.

    ``least`` and ``most`` bound a number or a duration (seconds). ``form`` is a regular expression
    for the whole of a text and ``form_in_words`` says the same to people. A ``secret`` is never
    shown, neither its value nor a part of it.
    """

    section: str
    help: str
    least: float = 0.0
    most: float = 0.0
    form: str = ""
    form_in_words: str = "text without control characters"
    secret: bool = False


class Setting(msgspec.Struct, frozen=True):
    """One setting. ``name`` is its key in a TOML file; the other names follow from it."""

    name: str
    kind: Kind
    default: Value
    about: About
    choices: tuple[str, ...] = ()

    @property
    def environment(self) -> str:
        """Its name in the environment, and in error messages: ``SQLITE_PATH``."""
        return self.name.upper()

    @property
    def flag(self) -> str:
        """Its flag on the command line: ``--sqlite-path``."""
        return "--" + self.name.replace("_", "-")

    @property
    def allowed(self) -> str:
        """What may stand here, in words that go on from "must be"."""
        about = self.about
        match self.kind:
            case Kind.CHOICE:
                return " or ".join((", ".join(self.choices[:-1]), self.choices[-1]))
            case Kind.SWITCH:
                return "true or false"
            case Kind.NUMBER:
                return f"a whole number from {about.least:.0f} to {about.most:.0f}"
            case Kind.DURATION:
                return (
                    f"a duration from {format_duration(about.least)} "
                    f"to {format_duration(about.most)}"
                )
            case Kind.TEXT:
                return about.form_in_words

    def read(self, raw: object) -> Value:
        """Return the value that ``raw`` stands for: text, or what a TOML file held.

        Raises ``Refused``.
        """
        try:
            value = self._read(raw)
        except (InvalidInput, OverflowError):
            value = None
        if value is None:
            hint = _DURATION_HINT if self.kind is Kind.DURATION else ""
            raise Refused(f"must be {self.allowed}{hint}")
        return value

    def _read(self, raw: object) -> Value | None:
        match self.kind:
            case Kind.CHOICE:
                word = raw.strip().lower() if isinstance(raw, str) else ""
                return word if word in self.choices else None
            case Kind.SWITCH:
                if isinstance(raw, str):
                    return _WORDS.get(raw.strip().lower())
                return raw if isinstance(raw, bool) else None
            case Kind.NUMBER:
                return self._within(_whole(raw))
            case Kind.DURATION:
                return self._within(_duration(raw))
            case Kind.TEXT:
                return raw if isinstance(raw, str) and self._fits(raw) else None

    def _within(self, value: float | None) -> float | None:
        fits = value is not None and self.about.least <= value <= self.about.most
        return value if fits else None

    def _fits(self, text: str) -> bool:
        return text.isprintable() and re.fullmatch(self.about.form or ".*", text) is not None

    def written(self, value: Value) -> str:
        """Write a value as it may stand in any source; a switch is ``true`` or ``false``."""
        if self.kind is Kind.SWITCH:
            return "true" if value else "false"
        if self.kind is Kind.DURATION and isinstance(value, (int, float)):
            return format_duration(value)
        return str(value)


def _whole(raw: object) -> int | None:
    if isinstance(raw, str):
        return int(raw) if _WHOLE.fullmatch(raw.strip()) else None
    return raw if isinstance(raw, int) and not isinstance(raw, bool) else None


def _duration(raw: object) -> float | None:
    return parse_duration(raw, "") if isinstance(raw, (str, int, float)) else None


def format_duration(seconds: float) -> str:
    """Write a duration in the largest unit that leaves a whole number: ``14d``, ``30s``."""
    for size, unit in _UNITS:
        if seconds and seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.6f}".rstrip("0").rstrip(".") + "s"


def settings_of(struct: type[msgspec.Struct]) -> Iterator[Setting]:
    """Give the settings that ``struct`` declares: fields ``name: Annotated[type, About(...)]``."""
    hints = get_type_hints(struct, include_extras=True)
    for field in msgspec.structs.fields(struct):
        hint: object = hints[field.name]
        if get_origin(hint) is Annotated:
            kind, about = get_args(hint)
            choices: tuple[str, ...] = get_args(kind) if get_origin(kind) is Literal else ()
            yield Setting(field.name, _kind_of(kind), field.default, about, choices)


def _kind_of(kind: object) -> Kind:
    if get_origin(kind) is Literal:
        return Kind.CHOICE
    kinds: dict[object, Kind] = {
        bool: Kind.SWITCH,
        int: Kind.NUMBER,
        float: Kind.DURATION,
        str: Kind.TEXT,
    }
    return kinds[kind]
