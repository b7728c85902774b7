"""The query of a request: known parameters only, as text, each with one way to read it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from actorq.core import bounds
from actorq.core.instants import parse_duration, parse_instant
from actorq.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_PARAMETERS: Final = 200
LONGEST: Final = 4_096
"""Characters that one parameter may have."""

_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
_OFFSET = re.compile(r" (?=[0-9]{2}:[0-9]{2}$)", re.ASCII)


class Query:
    """The parameters of one request. Pointers in errors are ``/name``, as for members of a body."""

    def __init__(self, text: bytes, known: Sequence[str], prefixes: Sequence[str] = ()) -> None:
        """Parse ``text``; every name must be ``known`` or begin with one of ``prefixes``."""
        self._values: dict[str, list[str]] = {}
        for name, value in _pairs(text):
            if name not in known and not name.startswith(tuple(prefixes)):
                raise InvalidInput(f"/{name:.100}", "is not a query parameter that is known here")
            self._values.setdefault(name, []).append(value)

    def text(self, name: str) -> str | None:
        """Return a parameter that may be given once, and then not empty."""
        value = self._once(name)
        return None if value is None else bounds.text(value, f"/{name}", longest=LONGEST)

    def texts(self, name: str) -> list[str]:
        """Return a parameter that may be given several times, or once with commas."""
        return [part for value in self._values.get(name, ()) for part in value.split(",")]

    def integer(self, name: str, default: int, *, least: int, most: int) -> int:
        """Return a whole number within its bounds."""
        text = self.text(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(most))):
            raise InvalidInput(f"/{name}", f"must be an integer from {least} to {most}")
        return bounds.integer(int(text), f"/{name}", least=least, most=most)

    def seconds(self, name: str) -> float:
        """Return a duration as a number or as text like ``5s``; 0 when there is none."""
        text = self.text(name)
        if text is None:
            return 0.0
        # A number has more forms here than in a text like 1.5s: clients write 1e-05 too.
        return parse_duration(float(text) if _NUMBER.fullmatch(text) else text, f"/{name}")

    def instant(self, name: str) -> int | None:
        """Return an instant; a ``+`` that was not escaped, and so came as a space, is taken as one."""
        text = self.text(name)
        return None if text is None else parse_instant(_OFFSET.sub("+", text), f"/{name}")

    def under(self, prefix: str) -> dict[str, str]:
        """Return the parameters whose names begin with ``prefix``, without it."""
        names = [name for name in self._values if name.startswith(prefix)]
        return {name.removeprefix(prefix): self._once(name) or "" for name in names}

    def _once(self, name: str) -> str | None:
        values = self._values.get(name)
        if values is None:
            return None
        if len(values) > 1:
            raise InvalidInput(f"/{name:.100}", "is given several times")
        return values[0]


def _pairs(text: bytes) -> list[tuple[str, str]]:
    if not text:
        return []
    try:
        return parse_qsl(
            text.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_PARAMETERS,
        )
    except ValueError as error:
        message = f"the query cannot be read: {error}"
        raise InvalidInput("", message) from None
