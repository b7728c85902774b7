"""Request ids: what connects an answer with the line of the log that explains it."""

from __future__ import annotations

import re
import secrets
from itertools import count
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import Scope

HEADER: Final = b"x-request-id"

_SAFE = re.compile(rb"[A-Za-z0-9._:-]{1,128}")


class RequestIds:
    """Takes over the id that a proxy or a client gave, if it is harmless, and makes one otherwise."""

    def __init__(self) -> None:
        """Draw what tells this process's ids from those of others."""
        self._origin = secrets.token_hex(4)
        self._numbers = count(1)

    def name(self, scope: Scope) -> str:
        """Return the id of a request: letters, digits and ``._:-``, at most 128 of them."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        for name, value in headers:
            if name == HEADER and _SAFE.fullmatch(value):
                return value.decode("ascii")
        return f"{self._origin}-{next(self._numbers)}"
