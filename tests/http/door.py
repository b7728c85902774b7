"""The HTTP application in process, over a running system on the memory store, and a client of it."""

from __future__ import annotations

from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote

import anyio
import msgspec

from actorq.backends.memory import MemoryStore
from actorq.core.policy import Policy
from actorq.http import AppOptions, create_app
from actorq.runtime import Options, running
from actorq.testing.clock import ManualClock
from tests.http.shown import Answer, Shown
from tests.unreliable import Trouble, UnreliableStore

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

    from starlette.types import ASGIApp, Message, Scope

    from actorq.face import JobQueue
    from actorq.runtime import Runtime

T = TypeVar("T")

NOBODY = "00000000-0000-7000-8000-000000000000"
"""An id that no job has."""


class Exchange:
    """One request under way: what the server would give and take, in the hands of a test."""

    def __init__(self, scope: Scope, pieces: Sequence[bytes]) -> None:
        """Make the request; a client that stays silent gives no ``pieces``."""
        self.scope = scope
        self._inbox: deque[Message] = deque(
            {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
            for number, piece in enumerate(pieces, 1)
        )
        self._news = anyio.Event()
        self._gone = False
        self.sent: list[Message] = []
        self.on_send: Callable[[Message], None] | None = None

    def stall(self) -> None:
        """Let the client never send the last of its pieces."""
        self._inbox.pop()

    def hang_up(self) -> None:
        """Let the client go."""
        self._gone = True
        self._news.set()

    async def receive(self) -> Message:
        """Give what the client sent; what it sent before it left comes first."""
        while not self._inbox:
            if self._gone:
                return {"type": "http.disconnect"}
            await self._news.wait()
        return self._inbox.popleft()

    async def send(self, message: Message) -> None:
        """Take a part of the answer; the client may hang up over it."""
        self.sent.append(message)
        if self.on_send is not None:
            self.on_send(message)

    async def run(self, app: ASGIApp) -> None:
        """Let ``app`` serve the request."""
        await app(self.scope, self.receive, self.send)

    def answer(self) -> Answer:
        """Return the complete answer."""
        head, *parts = self.sent
        assert [part.get("more_body", False) for part in parts] == [True] * (len(parts) - 1) + [
            False
        ]
        headers = {name.decode(): value.decode() for name, value in head["headers"]}
        assert len(headers) == len(head["headers"])
        body = b"".join(part["body"] for part in parts)
        return Answer(head["status"], headers, body)


class Door:
    """The application and all that a test needs of what stands behind it."""

    def __init__(
        self,
        app: ASGIApp,
        runtime: Runtime,
        clock: ManualClock,
        trouble: Trouble,
        root: str,
        crashes: list[str],
    ) -> None:
        self.app = app
        self.runtime = runtime
        self.clock = clock
        self.trouble = trouble
        self.root = root
        self.crashes = crashes

    @property
    def queue(self) -> JobQueue:
        """The queue that the application serves."""
        return self.runtime.queue

    def exchange(
        self,
        method: str,
        target: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        pieces: Sequence[bytes] | None = None,
    ) -> Exchange:
        """Make a request: ``body`` as JSON, or raw ``pieces``; ``target`` as on the request line."""
        sent = dict(headers or {})
        if pieces is None:
            pieces = [b"" if body is None else msgspec.json.encode(body)]
            if body is not None:
                sent.setdefault("content-type", "application/json")
        path, _, query = target.partition("?")
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": self.root + unquote(path),
            "raw_path": (self.root + path).encode(),
            "query_string": query.encode(),
            "root_path": self.root,
            "headers": [
                (name.lower().encode(), text.encode("latin-1")) for name, text in sent.items()
            ],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8080),
        }
        return Exchange(scope, pieces)

    async def call(
        self,
        method: str,
        target: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        pieces: Sequence[bytes] | None = None,
    ) -> Answer:
        """Send one request and return its answer."""
        exchange = self.exchange(method, target, body, headers=headers, pieces=pieces)
        await exchange.run(self.app)
        return exchange.answer()

    async def put(self, payload: str = "x", **wish: object) -> Shown:
        """Make a job of the queue ``work``."""
        body = {"queue_name": "work", "payload": payload, **wish}
        return (await self.call("POST", "/jobs", body)).job(201)

    async def take(self, **wish: object) -> Shown:
        """Claim a job of the queue ``work``, which must be there."""
        return (await self.call("POST", "/queues/work/dequeue", wish)).job()

    async def held(self, payload: str = "x", **wish: object) -> Shown:
        """Make a job and claim it."""
        await self.put(payload, **wish)
        return await self.take()

    async def bury(self, payload: str = "x", **wish: object) -> str:
        """Make a job, let it fail for good, and return its id."""
        job = await self.held(payload, **wish)
        body = {"retryable": False, "reason": "boom"}
        answer = await self.call("POST", f"/jobs/{job.id}/fail", body)
        assert answer.job().status == "dead"
        return job.id

    async def purge(self, target: str, body: object = None) -> int:
        """Purge jobs, and return how many that removed."""
        answer = await self.call("POST", target, body)
        assert answer.status == 200, answer
        return answer.read(dict[str, int])["removed"]

    async def look(self, job_id: str) -> Shown:
        """Read a job."""
        return (await self.call("GET", f"/jobs/{job_id}")).job()


@asynccontextmanager
async def open_door(
    options: AppOptions | None = None,
    *,
    root: str = "",
    policy: Policy | None = None,
    patience: float = 30.0,
    threads: bool = False,
) -> AsyncGenerator[Door]:
    """Run a system on a memory store, and open the application on it.

    With ``threads`` the store is called in threads, so that it may stand still.
    """
    clock = ManualClock()
    bounds = policy or Policy()
    store = UnreliableStore(MemoryStore(bounds, clock), threads=threads)
    crashes: list[str] = []
    chosen = Options(policy=bounds, clock=clock, patience=patience)

    def on_crash(actor: str, error: Exception) -> None:
        del error
        crashes.append(actor)

    async with running(store, chosen, on_crash) as runtime:
        app = create_app(runtime.queue, options)
        yield Door(app, runtime, clock, store.trouble, root, crashes)
