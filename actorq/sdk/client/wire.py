"""How requests and answers look to the HTTP library: what both wires share. Needs the extra ``client``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

import httpx2

from actorq import __version__
from actorq.errors import ConfigurationError
from actorq.sdk.client.errors import BadAnswer
from actorq.sdk.client.exchange import Answer, Lost

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actorq.sdk.client.exchange import Request
    from actorq.sdk.client.options import ClientOptions

KEEP_S: Final = 4.0
"""How long an idle connection is kept: less than the 5 s after which the server lets go of it."""

_NOT_SENT: Final = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)


_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE: Final = re.compile(r"[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?")


class Origin:
    """Where the server is, and what is said with every request to it."""

    def __init__(self, url: str, headers: Mapping[str, str], options: ClientOptions) -> None:
        """Read the address, which may have a path; raises ``ConfigurationError``."""
        self._url = _checked(url)
        self.options = options
        self._headers = {
            "user-agent": f"actorq/{__version__}",
            "accept": "application/json, application/problem+json",
            # An answer that unfolds to a thousand times its size would pass every bound.
            "accept-encoding": "identity",
            **_sendable(headers),
        }
        parts = urlsplit(self._url)
        self.is_secure = parts.scheme == "https"
        self._shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    def limits(self) -> httpx2.Limits:
        """Return how many connections there may be."""
        most = self.options.max_connections
        return httpx2.Limits(
            max_connections=most, max_keepalive_connections=most, keepalive_expiry=KEEP_S
        )

    def seconds(self, request: Request) -> float:
        """Return how long the whole answer may take."""
        limit = self.options.timeout if request.within is None else request.within
        return request.wait + min(limit, self.options.timeout)

    def request(self, request: Request, seconds: float) -> httpx2.Request:
        """Return the request as the library sends it; its answer is waited for ``seconds``."""
        query = f"?{urlencode(request.query)}" if request.query else ""
        connect = min(self.options.connect_timeout, seconds)
        timeout = httpx2.Timeout(seconds, connect=connect)
        return httpx2.Request(
            request.method,
            f"{self._url}{request.path}{query}",
            headers={**self._headers, **dict(request.headers)},
            content=request.body,
            extensions={"timeout": timeout.as_dict()},
        )

    def lost(self, error: Exception, took: float) -> Lost:
        """Say what became of a request that got no answer."""
        why = str(error) or type(error).__name__
        was_sent = not isinstance(error, _NOT_SENT)
        return Lost(f"no answer from {self._shown}: {why}", was_sent, took)

    def late(self, took: float) -> Lost:
        """Say that no answer came in time."""
        return Lost(f"no answer from {self._shown} within {took:.1f} s", was_sent=True, took=took)


class Collector:
    """An answer as it comes in."""

    def __init__(self, response: httpx2.Response, options: ClientOptions) -> None:
        """Begin with its head; raises ``BadAnswer`` for an encoding that was not asked for."""
        self._status = response.status_code
        self._headers = {name.lower(): value for name, value in response.headers.items()}
        self._most = options.max_answer
        self._body = bytearray()
        encoding = self._headers.get("content-encoding", "identity")
        if encoding.lower() != "identity":
            raise BadAnswer(f"the answer is encoded as {encoding!a:.40}, which was not asked for")

    @property
    def is_full(self) -> bool:
        """Whether the answer has more than it may."""
        return len(self._body) > self._most

    def add(self, piece: bytes) -> None:
        """Take a piece of the body, unless there is too much of it already."""
        if not self.is_full:
            self._body += piece

    def answer(self, took: float) -> Answer:
        """Return the whole answer; raises ``BadAnswer`` when it is too large."""
        if self.is_full:
            raise BadAnswer(f"the answer has more than {self._most} bytes (max_answer)")
        return Answer(self._status, self._headers, bytes(self._body), took)


def _sendable(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers in lower case, so that they replace ours; raises ``ConfigurationError``."""
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            # The value is not shown: it may be a secret.
            raise ConfigurationError(f"the header {name!a:.100} cannot be sent as it is")
    return {name.lower(): value for name, value in headers.items()}


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
        is_address = is_address and parts.port != 0 and not (parts.query or parts.fragment)
        is_address = is_address and url.isprintable() and " " not in url
        httpx2.URL(url)
    except (ValueError, httpx2.InvalidURL):
        is_address = False
    if not is_address:
        # The address itself is not shown: it may hold a password.
        raise ConfigurationError("a server's address is like http://host:8080 or https://host/path")
    return url.rstrip("/")
