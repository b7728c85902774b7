"""The web: pages with their titles and links, fetched over HTTP, and a small one to crawl."""

from __future__ import annotations

from contextlib import contextmanager
from html import escape
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx2

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping


class Answer(NamedTuple):
    """What a server said to the request for a page."""

    status: int
    text: str


class Web:
    """Fetches pages. Tests put another in its place."""

    def __init__(self) -> None:
        """Keep connections open from one page to the next."""
        self._client = httpx2.AsyncClient(timeout=10.0)

    async def get(self, url: str) -> Answer:
        """Fetch a page; raises ``OSError`` when its server cannot be reached."""
        try:
            response = await self._client.get(url)
        except httpx2.TransportError as error:
            raise OSError(str(error)) from error
        return Answer(response.status_code, response.text)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()


class _Reader(HTMLParser):
    """Reads the title of a page, and where it leads."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._in_title = False
        self.title = ""
        self.links: dict[str, None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a link, or the beginning of the title."""
        self._in_title = tag == "title"
        target = dict(attrs).get("href")
        if tag == "a" and target is not None:
            link = urldefrag(urljoin(self._url, target)).url
            if urlsplit(link).netloc == urlsplit(self._url).netloc:
                self.links[link] = None

    def handle_data(self, data: str) -> None:
        """Take a piece of the title."""
        if self._in_title:
            self.title += data

    def handle_endtag(self, tag: str) -> None:
        """Leave the title."""
        del tag
        self._in_title = False


def read(url: str, text: str) -> tuple[str, list[str]]:
    """Return a page's title, and the pages of the same host that it leads to, each once."""
    reader = _Reader(url)
    reader.feed(text)
    return reader.title.strip(), list(reader.links)


def write(title: str, links: list[str]) -> str:
    """Write a page."""
    anchors = "".join(f'<li><a href="{escape(link)}">{escape(link)}</a></li>' for link in links)
    return f"<!doctype html><title>{escape(title)}</title><ul>{anchors}</ul>"


def little_web(pages: int) -> dict[str, str]:
    """Make pages by their paths: each leads to two others and back, and the last into the void."""
    made: dict[str, str] = {}
    for number in range(pages):
        links = [f"/{n}" for n in (2 * number + 1, 2 * number + 2, number // 2) if n <= pages]
        made[f"/{number}"] = write(f"Page {number}", links)
    return made


@contextmanager
def serving(pages: Mapping[str, str]) -> Generator[str]:
    """Serve pages over HTTP on a free port of loopback, from a thread; gives the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer with a page."""
            text = pages.get(self.path)
            self.send_response(404 if text is None else 200)
            body = (text or "").encode()
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - likewise
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
