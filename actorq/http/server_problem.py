"""The problem document of a request that is not HTTP: no application ever sees it."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Final

_DETAILS: Final = {
    431: "the head of the request is too large",
    501: "this transfer coding is not supported",
    505: "only HTTP/1.0 and HTTP/1.1 are spoken here",
}


def problem(status: int) -> bytes:
    """Write the document (RFC 9457) for ``status``, as the body of the answer."""
    document: dict[str, str | int | bool] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": _DETAILS.get(status, "the request is not well-formed HTTP/1.1"),
        "code": "malformed_request",
        "retryable": False,
    }
    return json.dumps(document).encode()
