"""What the server shell makes of an application that fails, and what it hands to one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.server.shell import on_every_server, open_shell, read_body, respond

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from actorq.http.server import ServerName


class Fails:
    """An application that fails on every path but ``/``, at the moment that the path names."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Fail."""
        await read_body(receive)
        match scope["path"]:
            case "/before":
                raise ValueError("before")
            case "/within":
                length = (b"content-length", b"100")
                start = {"type": "http.response.start", "status": 200, "headers": [length]}
                await send(start)
                await send({"type": "http.response.body", "body": b"half", "more_body": True})
                raise ValueError("within")
            case "/after":
                await respond(send)
                raise ValueError("after")
            case "/never":
                return
            case _:
                await respond(send)


@on_every_server
@pytest.mark.parametrize("path", ["/before", "/never"])
async def test_no_answer_is_a_500(
    server: ServerName, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An application that fails, or answers nothing, is a 500 to its client and an error in the log."""
    async with open_shell(Fails(), server) as shell:
        async with shell.connect() as wire:
            assert (await wire.ask(f"GET {path}")).status == 500
        assert await shell.answers()
    failures = [r for r in caplog.records if r.exc_info and "before" in str(r.exc_info[1])]
    assert len(failures) == (path == "/before")


@on_every_server
async def test_half_an_answer_is_cut_off(
    server: ServerName, caplog: pytest.LogCaptureFixture
) -> None:
    """An answer that its application could not finish does not look like a whole one (I15)."""
    async with open_shell(Fails(), server) as shell:
        async with shell.connect() as wire:
            await wire.send(b"GET /within HTTP/1.1\r\nHost: t\r\n\r\n")
            assert (await wire.rest()).endswith(b"half")
        assert await shell.answers()
    assert any(r.exc_info and "within" in str(r.exc_info[1]) for r in caplog.records)


@on_every_server
async def test_a_failure_after_the_answer_harms_nobody(
    server: ServerName, caplog: pytest.LogCaptureFixture
) -> None:
    """What fails once the answer is complete is logged, and its client has the answer."""
    async with open_shell(Fails(), server) as shell:
        for _ in range(2):
            async with shell.connect() as wire:
                assert (await wire.ask("GET /after")).status == 200
    assert any(r.exc_info and "after" in str(r.exc_info[1]) for r in caplog.records)


@on_every_server
async def test_a_request_is_handed_over_as_it_came(server: ServerName) -> None:
    """Path, query, headers and addresses reach the application undecoded and complete (F13)."""
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await read_body(receive)
        await respond(send)

    async with open_shell(app, server) as shell, shell.connect() as wire:
        await wire.ask("GET /a%2Fb/%C3%A9?x=%20&y", "X-One: 1", "x-one: 2", "X-Two: \xe9")
        scope = seen[0]
        assert (scope["type"], scope["method"], scope["scheme"]) == ("http", "GET", "http")
        assert (scope["path"], scope["raw_path"]) == ("/a/b/é", b"/a%2Fb/%C3%A9")
        assert scope["query_string"] == b"x=%20&y"
        assert [item for item in scope["headers"] if item[0] != b"host"] == [
            (b"x-one", b"1"),
            (b"x-one", b"2"),
            (b"x-two", b"\xe9"),
        ]
        assert scope["client"][0] == "127.0.0.1"
        assert scope["server"] == ("127.0.0.1", shell.port)
