"""All the HTTP that the example needs, from the standard library: any language could do the same."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit


class Api:
    """One keep-alive connection to an actorq server."""

    def __init__(self, url: str) -> None:
        """Remember where the server is; the connection is made by the first call."""
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Send one request; return the status and the decoded JSON (None for an empty answer)."""
        data = None if body is None else json.dumps(body).encode()
        headers = {} if data is None else {"Content-Type": "application/json"}
        self._connection.request(method, path, data, headers)
        response = self._connection.getresponse()
        content = response.read()
        return response.status, json.loads(content) if content else None
