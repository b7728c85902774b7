"""One request, as the handlers see it: nothing is parsed before somebody asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, TypeVar
from urllib.parse import quote

from actorq.errors import ActorqError
from actorq.http.limits import Body
from actorq.http.query import Query
from actorq.http.server import WHOLE_BODY

if TYPE_CHECKING:
    from starlette.types import Receive, Scope

    from actorq.core.wire.decoding import Reader
    from actorq.http.limits import BodyLimits

T = TypeVar("T")

_CHARSETS: Final = frozenset({"utf-8", "utf8", "us-ascii"})


class UnsupportedMediaType(ActorqError):
    """The body is not sent as JSON: 415."""

    code: ClassVar[str] = "unsupported_media_type"


class Request:
    """A request that found its route. ``name`` is the part of the path that the route leaves open."""

    __slots__ = (
        "_headers",
        "_limits",
        "id",
        "name",
        "receive",
        "scope",
    )

    def __init__(
        self, scope: Scope, receive: Receive, name: str, request_id: str, limits: BodyLimits
    ) -> None:
        """Wrap the ASGI ``scope`` and ``receive``; ``request_id`` names it in answers and logs."""
        self.scope = scope
        self.receive = receive
        self.name = name
        self.id = request_id
        self._limits = limits
        self._headers: dict[bytes, bytes] = dict(scope["headers"])

    def header(self, name: bytes) -> str | None:
        """Return a header; one that came several times is joined by commas, as HTTP has it."""
        value = self._headers.get(name)
        if value is None:
            return None
        headers: list[tuple[bytes, bytes]] = self.scope["headers"]
        if len(headers) > len(self._headers):
            value = b", ".join(one for key, one in headers if key == name)
        return value.decode("latin-1")

    def query(self, *known: str, prefixes: tuple[str, ...] = ()) -> Query:
        """Return the query; raises ``InvalidInput`` for a parameter that is not known."""
        return Query(self.scope["query_string"], known, prefixes)

    async def body(self, reader: Reader[T]) -> T:
        """Read the body, which must be there."""
        return reader.read(await self._read())

    async def optional_body(self, reader: Reader[T], absent: T) -> T:
        """Read the body; an empty one, of whatever type, means ``absent``."""
        data = await self._read()
        return reader.read(data) if data else absent

    @property
    def root(self) -> str:
        """The path under which the application is mounted, as a URL has it, without a last slash."""
        root: str = self.scope.get("root_path", "")
        return quote(root.rstrip("/")) if root else ""

    async def _read(self) -> bytes:
        declared = self._headers.get(b"content-length")
        is_here = WHOLE_BODY in self.scope.get("extensions", ())
        data = await Body(self._limits).read(declared, self.receive, is_here=is_here)
        if data:
            self._check_encoding()
        return data

    def _check_encoding(self) -> None:
        """Refuse what says that it is not JSON in UTF-8; what says nothing is taken at its word."""
        media = self.header(b"content-type")
        if media is not None and media != "application/json" and not _is_json(media):
            raise UnsupportedMediaType(
                "send the body in UTF-8 with the header Content-Type: application/json; "
                f"it came as {media!a:.100}"
            )
        coding = self.header(b"content-encoding")
        if coding is not None and coding.lower() != "identity":
            raise UnsupportedMediaType("the body must be sent without a Content-Encoding")


def _is_json(media: str) -> bool:
    kind, *parameters = (part.strip().lower() for part in media.split(";"))
    if kind != "application/json" and not (
        kind.startswith("application/") and kind.endswith("+json")
    ):
        return False
    charsets = (
        parameter.partition("=")[2].strip('"')
        for parameter in parameters
        if parameter.startswith("charset=")
    )
    return all(charset in _CHARSETS for charset in charsets)
