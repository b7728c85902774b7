"""One answer, ready to be written: status, headers and body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    Header = tuple[bytes, bytes]

JSON: Final = b"application/json"
PROBLEM_JSON: Final = b"application/problem+json"

_AS_IT_SAYS: Final = (b"x-content-type-options", b"nosniff")
"""No browser is to take an answer for something else: a page, for the text that a job holds."""

_encode = msgspec.json.Encoder().encode


class Response:
    """What a handler answers.

    ``undelivered`` is called when the client has gone before the answer could be written to it.
    """

    __slots__ = ("body", "headers", "status", "undelivered")

    def __init__(self, status: int, body: bytes, *headers: Header, media: bytes = JSON) -> None:
        """Answer with ``body`` of the type ``media``."""
        self.status = status
        self.body = body
        self.headers: list[Header] = [
            (b"content-type", media),
            (b"content-length", b"%d" % len(body)),
            _AS_IT_SAYS,
            *headers,
        ]
        self.undelivered: Callable[[], None] | None = None


def json(status: int, view: object, *headers: Header) -> Response:
    """Answer with ``view`` as JSON."""
    return Response(status, _encode(view), *headers)


def empty(status: int, *headers: Header) -> Response:
    """Answer without a body."""
    response = Response(status, b"")
    response.headers = [*headers]
    return response
