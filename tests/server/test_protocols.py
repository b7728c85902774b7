"""What is not plain HTTP/1.1, or odd: upgrades, other protocols, heads of any size (rows F12, F13)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from actorq.http.server import ServerOptions
from tests.server.shell import DOORS, Wire, echo, on_every_server, open_shell, request

if TYPE_CHECKING:
    from actorq.http.server import ServerName

WEBSOCKET = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
)
H2C = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
KNOWN_STATUSES = {400, 404, 405, 414, 431, 501, 505}


async def end_of(wire: Wire) -> tuple[int, bytes]:
    """Read all answers to the end of the connection; return the last status (0: none) and the rest."""
    status, rest = 0, await wire.rest()
    while rest.startswith(b"HTTP/1.1 "):
        status = int(rest[9:12])
        rest = rest.partition(b"\r\n\r\n")[2]
    return status, rest


@on_every_server
@pytest.mark.parametrize("upgrade", [WEBSOCKET, H2C], ids=["websocket", "h2c"])
@pytest.mark.parametrize("trailing", [b"", b"\x81\x85frame", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
async def test_an_upgrade_is_not_taken_up(
    server: ServerName, upgrade: tuple[str, ...], trailing: bytes
) -> None:
    """A request that offers another protocol is answered in this one, whatever follows it (F12)."""
    async with open_shell(echo, server) as shell:
        async with shell.connect() as wire:
            await wire.send(request("GET /upgrade", *upgrade) + trailing)
            reply = await wire.reply()
            assert (reply.status, reply.body) == (200, b"GET /upgrade ")
            assert "upgrade" not in reply.headers
        assert await shell.answers()


@on_every_server
async def test_a_client_that_always_offers_h2c_is_served(server: ServerName) -> None:
    """Some clients offer HTTP/2 with every request they send, bodies too: all are answered (F12)."""
    async with open_shell(echo, server) as shell:
        for _ in range(3):
            async with shell.connect() as wire:
                reply = await wire.ask("POST /jobs", *H2C, body=b"hello")
                assert reply.body == b"POST /jobs hello"
                if reply.headers.get("connection") != "close":
                    assert (await wire.ask("GET /next", *H2C)).body == b"GET /next "


ALIEN = [
    pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", id="http2-preface"),
    pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), id="tls-hello"),
    pytest.param(b"\x00\x00\x00\x55\xffSMBr", id="smb"),
    pytest.param(b"HELP\r\n\r\n", id="word"),
    pytest.param(b"SSH-2.0-x\r\n\r\n", id="ssh"),
    pytest.param(b"GET / HTTP/9.9\r\nHost: t\r\n\r\n", id="version"),
    pytest.param(b"GET / HTTP/1.1 extra\r\nHost: t\r\n\r\n", id="three-spaces"),
    pytest.param(b"GET /a b HTTP/1.1\r\nHost: t\r\n\r\n", id="space-in-path"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: t\r\nNo colon\r\n\r\n", id="no-colon"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: t\r\nA\0b: c\r\n\r\n", id="nul-in-name"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: t\r\nA: b\0c\r\n\r\n", id="nul-in-value"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: t\r\nContent-Length: x\r\n\r\n", id="length"),
    pytest.param(b"GET / HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n", id="negative"),
    pytest.param(
        b"GET / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        id="two-lengths",
    ),
    pytest.param(
        b"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"
        b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n",
        id="smuggling",
    ),
    pytest.param(b"\r\n" * 50_000, id="line-breaks"),
    pytest.param(b"\0" * 100_000, id="nuls"),
]


@on_every_server
@pytest.mark.parametrize("data", ALIEN)
async def test_what_is_not_http_is_refused(server: ServerName, data: bytes) -> None:
    """Anything at all may be sent to the port: a clear refusal or an end, and no harm (F12)."""
    options = ServerOptions(idle_timeout=0.3, linger=0.1)
    async with open_shell(echo, server, options) as shell:
        async with shell.connect() as wire:
            await wire.send(data)
            status, rest = await end_of(wire)
            assert status in {0, *KNOWN_STATUSES}, (status, rest)
            if status:
                problem = json.loads(rest)
                assert (problem["status"], problem["code"]) == (status, "malformed_request")
        assert await shell.answers()


@on_every_server
async def test_a_body_is_not_unpacked(server: ServerName) -> None:
    """A transfer coding beside ``chunked`` is refused, or its bytes are handed over as they are (F12)."""
    async with open_shell(echo, server) as shell, shell.connect() as wire:
        head = request("POST /", "Transfer-Encoding: gzip, chunked", "Connection: close")
        await wire.send(head + b"2\r\n\x1f\x8b\r\n0\r\n\r\n")
        reply = await wire.reply()
        assert reply.status == 501 or reply.body == b"POST / \x1f\x8b"


@on_every_server
@pytest.mark.parametrize(
    "tail", [b"garbage\r\n\r\n", b"GET /" + b"x" * 100_000], ids=["bad", "long"]
)
async def test_what_follows_a_request_does_not_harm_it(server: ServerName, tail: bytes) -> None:
    """A request is answered although what was sent behind it cannot be read (F12)."""
    async with open_shell(echo, server, ServerOptions(linger=0.1)) as shell:
        async with shell.connect() as wire:
            await wire.send(request("POST /first", body=b"hello") + tail)
            assert (await wire.reply()).body == b"POST /first hello"
            status, _ = await end_of(wire)
            assert status in {0, 400, 431}
        assert await shell.answers()


BOMBS = [
    pytest.param(b"GET /" + b"a" * 1_000_000, id="path"),
    pytest.param(b"GET / HTTP/1.1\r\nX: " + b"a" * 1_000_000, id="value"),
    pytest.param(b"GET / HTTP/1.1\r\n" + b"a" * 1_000_000, id="name"),
    pytest.param(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200_000, id="headers"),
    pytest.param(b"G" * 1_000_000, id="method"),
]


@on_every_server
@pytest.mark.parametrize("head", BOMBS)
async def test_a_head_has_a_size(server: ServerName, head: bytes) -> None:
    """A head without an end is refused when it has become too large, not gathered (F12, I18)."""
    async with open_shell(echo, server, ServerOptions(linger=0.1)) as shell:
        async with shell.connect() as wire:
            await wire.send(head)
            status, _ = await end_of(wire)
            assert status in {0, 400, 431}
        assert await shell.answers()


@on_every_server
async def test_a_large_head_is_answered_with_its_problem(server: ServerName) -> None:
    """Slightly too large a head is told so by a problem document; one that just fits is taken (F12)."""
    options = ServerOptions(max_head=8_000)
    async with open_shell(echo, server, options) as shell:
        async with shell.connect() as wire:
            assert (await wire.ask("GET /", "X: " + "y" * 7_000)).status == 200
            await wire.send(b"GET / HTTP/1.1\r\nHost: t\r\nX: " + b"y" * 9_000)
            reply = await wire.reply()
            assert reply.status == 431
            assert reply.headers["content-type"] == "application/problem+json"
            assert json.loads(reply.body)["title"] == "Request Header Fields Too Large"
            assert await wire.rest() == b""
        assert await shell.answers()


@pytest.mark.parametrize(("anyio_backend", "server"), DOORS)
@pytest.mark.parametrize("method", ["GET", "BREW", "PROPFIND", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("target", ["/", "//a//b", "/a?b=c", "/%2e%2e/x", "http://other/x"])
async def test_odd_targets_are_handed_over(server: ServerName, method: str, target: str) -> None:
    """What a request is for is the application's business, if it can be said in HTTP at all (F13)."""
    async with open_shell(echo, server) as shell, shell.connect() as wire:
        reply = await wire.ask(f"{method} {target}", "Host: odd.example:99999/..")
        assert reply.status == 200 or reply.status in KNOWN_STATUSES
        if reply.status == 200:
            assert reply.body.startswith(method.encode())
