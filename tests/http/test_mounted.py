"""The application inside another: under a prefix, and beside what is not HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import httpx2
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from actorq.http import create_app
from tests.http.door import open_door
from tests.http.shown import Shown

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Message


async def home(request: Request) -> PlainTextResponse:
    """Answer for the host application itself."""
    return PlainTextResponse(request.url.path)


async def test_the_application_is_mounted_in_another() -> None:
    """Under a prefix of a Starlette application every route works, and links keep the prefix (§9)."""
    async with open_door() as door:
        host = Starlette(routes=[Route("/", home), Mount("/in ner/q", door.app)])
        transport = httpx2.ASGITransport(host)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            assert (await client.get("/")).text == "/"
            new = {"queue_name": "work", "payload": "x"}
            await client.post("/in%20ner/q/jobs", json=new)
            made = await client.post("/in%20ner/q/jobs", json=new)
            assert made.status_code == 201
            job = msgspec.json.decode(made.content, type=Shown)
            assert made.headers["location"] == f"/in%20ner/q/jobs/{job.id}"
            assert (await client.get(made.headers["location"])).content == made.content
            page = await client.get("/in%20ner/q/jobs?limit=1")
            following = await client.get(page.links["next"]["url"])
            assert following.status_code == 200
            assert following.request.url.raw_path.startswith(b"/in%20ner/q/jobs?limit=1&cursor=")
            taken = await client.post("/in%20ner/q/queues/work/dequeue")
            assert taken.status_code == 200
            missing = await client.get("/in%20ner/q/nothing")
            assert missing.headers["content-type"] == "application/problem+json"
            document = msgspec.json.decode((await client.get("/in%20ner/q/openapi.json")).content)
            assert document["servers"] == [{"url": "/in%20ner/q"}]


@pytest.mark.parametrize("root", ["/q", "/q/", "/a/b"])
async def test_a_server_may_strip_nothing_of_the_path(root: str) -> None:
    """A root path that is part of the path, with or without a slash at its end, is taken off (§9)."""
    async with open_door(root=root.rstrip("/")) as door:
        exchange = door.exchange("GET", "/healthz")
        exchange.scope["root_path"] = root
        await exchange.run(door.app)
        assert exchange.answer().status == 200


async def test_a_proxy_may_strip_the_prefix() -> None:
    """A path from which a proxy took the root path already is understood too (§9)."""
    async with open_door() as door:
        exchange = door.exchange("POST", "/jobs", {"queue": "q", "payload": "x"})
        exchange.scope["root_path"] = "/outer"
        await exchange.run(door.app)
        answer = exchange.answer()
        assert answer.headers["location"] == f"/outer/jobs/{answer.job(201).id}"
        await door.put()
        listing = door.exchange("GET", "/jobs?limit=1")
        listing.scope["root_path"] = "/outer"
        await listing.run(door.app)
        assert listing.answer().headers["link"].startswith("</outer/jobs?limit=1&cursor=")


async def test_a_root_that_is_only_the_beginning_of_a_name_is_none() -> None:
    """/q as root is not the root of /queues (§9)."""
    async with open_door() as door:
        exchange = door.exchange("GET", "/queues")
        exchange.scope["root_path"] = "/q"
        await exchange.run(door.app)
        assert exchange.answer().status == 200


async def test_a_server_that_speaks_lifespan_is_answered() -> None:
    """Start and stop of a server that tells of them are confirmed; there is nothing to do (§9)."""
    async with open_door() as door:
        sent: list[Message] = []
        phases = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive() -> Message:
            await anyio.lowlevel.checkpoint()
            return {"type": next(phases)}

        async def send(message: Message) -> None:
            await anyio.lowlevel.checkpoint()
            sent.append(message)

        await door.app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)
        assert [one["type"] for one in sent] == [
            "lifespan.startup.complete",
            "lifespan.shutdown.complete",
        ]


async def test_a_websocket_is_declined() -> None:
    """There is no WebSocket here: it is closed before it opens (§9, F12)."""
    async with open_door() as door:
        sent: list[Message] = []

        async def receive() -> Message:
            await anyio.lowlevel.checkpoint()
            return {"type": "websocket.connect"}

        async def send(message: Message) -> None:
            await anyio.lowlevel.checkpoint()
            sent.append(message)

        await door.app({"type": "websocket", "path": "/jobs"}, receive, send)
        assert sent == [{"type": "websocket.close"}]


async def test_two_applications_share_one_queue() -> None:
    """Any number of applications may be made for one queue; they see the same jobs (§9)."""
    async with open_door() as door:
        job = await door.put()
        door.app = create_app(door.queue)
        assert (await door.look(job.id)).id == job.id
