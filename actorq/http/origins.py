"""Requests that a page of another web site has a browser send: they may change nothing.

A browser that can reach this server sends it what any page asks for, and only keeps the answer from the
page. It says so in its headers, which a page cannot forge; other clients send neither of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from actorq.errors import ActorqError

if TYPE_CHECKING:
    from actorq.http.request import Request

READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""The methods that change nothing."""

_OWN_SITES: Final = frozenset({"same-origin", "none"})


class CrossOrigin(ActorqError):
    """A page of another origin had this request sent: 403."""

    code: ClassVar[str] = "cross_origin"

    def __init__(self) -> None:
        """Say why; which page it was is in the request itself."""
        super().__init__("a page of another origin may not change anything here")


def refuse_other_origins(request: Request) -> None:
    """Raise ``CrossOrigin`` for what a page of another origin would have changed."""
    if request.scope["method"] in READING:
        return
    site = request.header(b"sec-fetch-site")
    if site is not None:
        if site not in _OWN_SITES:
            raise CrossOrigin
        return
    origin = request.header(b"origin")
    if origin is not None and origin.partition("://")[2] != request.header(b"host"):
        raise CrossOrigin
