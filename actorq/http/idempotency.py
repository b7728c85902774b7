"""The header ``Idempotency-Key``: one request sent twice (contract §6)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from actorq.errors import InvalidInput

if TYPE_CHECKING:
    from actorq.http.request import Request

REPLAYED: Final = (b"idempotent-replayed", b"true")
"""The header of an answer that was given before."""

_HEADER: Final = b"idempotency-key"
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_PRINTABLE = re.compile(r"[\x20-\x7e]*")


def header_key(request: Request) -> str | None:
    """Return the key of the header, quoted (as its draft standard has it) or bare."""
    text = request.header(_HEADER)
    if text is None:
        return None
    text = text.strip()
    if not _PRINTABLE.fullmatch(text):
        raise InvalidInput("/idempotency_key", "as a header must be printable ASCII")
    if not text.startswith('"'):
        return text
    match = _QUOTED.fullmatch(text)
    if match is None:
        raise InvalidInput("/idempotency_key", "as a header must be one string, quoted or bare")
    return re.sub(r"\\(.)", r"\1", match[1])


def refuse_key(request: Request) -> None:
    """Refuse the header where it could mean only a part of the request."""
    if request.header(_HEADER) is not None:
        raise InvalidInput("", "a batch takes no Idempotency-Key: give each job its own")
