"""Every route of the application, as sweeps of cancellation call it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
from anyio.lowlevel import checkpoint

from tests.http.door import Exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.types import Message, Scope

    from tests.system.cancelling import Scene
    from tests.system.house import House

Body: TypeAlias = "Callable[[Scene], object]"
Meanwhile: TypeAlias = "Callable[[House, Scene], Coroutine[Any, Any, object]]"

JOB: Final = {"queue_name": "new", "payload": "x"}
LARGE: Final = "x" * 100_000
"""A payload whose answer is sent in two parts."""

NIGHT: Final = {"job": {"queue_name": "night", "payload": "x"}, "every": 3_600}


class Line(Exchange):
    """A request over a line that takes its time: there are turns of the loop in both directions."""

    async def receive(self) -> Message:
        """Give what the client sent, a turn later; that it has gone is known at once."""
        message = await super().receive()
        if message["type"] == "http.request":
            await checkpoint()
        return message

    async def send(self, message: Message) -> None:
        """Take a part of the answer; whatever was handed over may arrive, also if it is cancelled then."""
        await super().send(message)
        await checkpoint()

    @property
    def is_answered(self) -> bool:
        """Whether the client has the whole of the answer."""
        return bool(self.sent) and not self.sent[-1].get("more_body", "headers" in self.sent[-1])


class Asking:
    """A request to one route: ``target`` names jobs of the scene by ``{waiting}``, ``{held}``, ``{dead}``.

    ``statuses`` are the answers that are right, a repeat's too; ``about`` names the job of the answer. One
    that is ``tagged`` says which version of the waiting job it knows.
    """

    def __init__(
        self,
        route: str,
        target: str | None = None,
        body: Body | None = None,
        *,
        statuses: tuple[int, ...] = (200,),
        about: str | None = None,
        tagged: bool = False,
        meanwhile: Meanwhile | None = None,
    ) -> None:
        self.route = route
        self.method, path = route.split(" ", 1)
        self.target = path if target is None else target
        self.body = body
        self.statuses = statuses
        self.about = about
        self.tagged = tagged
        self.meanwhile = meanwhile

    @property
    def name(self) -> str:
        """What the test is called."""
        return f"{self.method} {self.target}"

    def line(self, there: Scene) -> Line:
        """Make the request."""
        ids = {name: job.id for name, job in there._asdict().items()}
        path, _, query = self.target.format(**ids).partition("?")
        content = b"" if self.body is None else msgspec.json.encode(self.body(there))
        scope: Scope = {
            "type": "http",
            "method": self.method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(b"content-type", b"application/json")] if content else [],
        }
        if self.tagged:
            scope["headers"].append((b"if-none-match", f'"{there.waiting.version}"'.encode()))
        return Line(scope, [content])


def _lease(there: Scene) -> object:
    assert there.held.lease is not None
    return {"lease": there.held.lease.token}


def _leases(there: Scene) -> object:
    assert there.held.lease is not None
    return {"leases": [{"id": there.held.id, "lease": there.held.lease.token}]}


def _items(there: Scene) -> object:
    return {"items": [{"id": there.held.id, "action": "ack"}]}


DEQUEUES: Final = (
    Asking("POST /queues/{name}/dequeue", "/queues/q/dequeue", about="waiting"),
    Asking("POST /queues/{name}/dequeue", "/queues/q/dequeue?", lambda _: {"wait": 9, "max": 3}),
    Asking(
        "POST /queues/{name}/dequeue",
        "/queues/empty/dequeue",
        lambda _: {"wait": 9},
        meanwhile=lambda house, _: house.queue.enqueue("empty", "x", delivery="at_most_once"),
    ),
    Asking(
        "POST /queues/{name}/dequeue",
        "/queues/large/dequeue",
        lambda _: {"wait": 9},
        meanwhile=lambda house, _: house.queue.enqueue("large", LARGE, delivery="at_most_once"),
    ),
)
WAITS: Final = (
    Asking("GET /jobs/{id}", "/jobs/{waiting}", about="waiting"),
    Asking(
        "GET /jobs/{id}",
        "/jobs/{waiting}?wait=9",
        about="waiting",
        tagged=True,
        meanwhile=lambda house, there: house.queue.cancel(there.waiting.id),
    ),
)
JOBS: Final = (
    Asking("POST /jobs", body=lambda _: JOB, statuses=(201,)),
    Asking("GET /jobs"),
    Asking("POST /jobs/batch", body=lambda _: {"jobs": [JOB, JOB]}),
    Asking("POST /jobs/settle", body=_items),
    Asking("PATCH /jobs/{id}", "/jobs/{waiting}", lambda _: {"priority": 2}, about="waiting"),
    Asking("DELETE /jobs/{id}", "/jobs/{dead}", about="dead"),
    Asking("POST /jobs/{id}/ack", "/jobs/{held}/ack", _lease, about="held"),
    Asking("POST /jobs/{id}/fail", "/jobs/{held}/fail", _lease, about="held"),
    Asking("POST /jobs/{id}/extend", "/jobs/{held}/extend", _lease, about="held"),
    Asking("POST /jobs/{id}/release", "/jobs/{held}/release", _lease, about="held"),
    Asking("POST /jobs/{id}/progress", "/jobs/{held}/progress", lambda _: {"progress": 1}),
    Asking("POST /jobs/{id}/cancel", "/jobs/{waiting}/cancel", about="waiting"),
    Asking("POST /jobs/{id}/redrive", "/jobs/{dead}/redrive", about="dead"),
    Asking("POST /workers/{id}/heartbeat", "/workers/w/heartbeat", _leases),
)
QUEUES: Final = (
    Asking("GET /queues"),
    Asking("GET /queues/{name}", "/queues/q"),
    Asking("GET /queues/{name}/length", "/queues/q/length"),
    Asking("POST /queues/{name}/pause", "/queues/q/pause"),
    Asking("POST /queues/{name}/resume", "/queues/q/resume"),
    Asking("POST /queues/{name}/purge", "/queues/q/purge", lambda _: {"statuses": ["dead"]}),
    Asking("GET /queues/{name}/settings", "/queues/q/settings"),
    Asking("PATCH /queues/{name}/settings", "/queues/q/settings", lambda _: {"max_running": 9}),
    Asking("GET /queues/{name}/dead", "/queues/q/dead"),
    Asking("POST /queues/{name}/dead/purge", "/queues/q/dead/purge"),
    Asking("POST /queues/{name}/redrive", "/queues/q/redrive"),
)
SCHEDULES: Final = (
    Asking("GET /schedules"),
    Asking("POST /schedules", body=lambda _: {"name": "new", **NIGHT}, statuses=(201, 409)),
    Asking("GET /schedules/{name}", "/schedules/nightly"),
    Asking("PUT /schedules/{name}", "/schedules/put", lambda _: NIGHT, statuses=(201, 200)),
    Asking("PATCH /schedules/{name}", "/schedules/nightly", lambda _: {"every": 60}),
    Asking("DELETE /schedules/{name}", "/schedules/nightly"),
    Asking("POST /schedules/{name}/pause", "/schedules/nightly/pause"),
    Asking("POST /schedules/{name}/resume", "/schedules/nightly/resume"),
    Asking("POST /schedules/{name}/run", "/schedules/nightly/run", statuses=(201,)),
    Asking("GET /schedules/{name}/ticks", "/schedules/nightly/ticks"),
    Asking("GET /ticks", "/ticks?every=60"),
)
OTHERS: Final = (
    Asking("GET /healthz"),
    Asking("GET /readyz"),
    Asking("GET /openapi.json"),
)

REQUESTS: Final = DEQUEUES + WAITS + JOBS + QUEUES + SCHEDULES + OTHERS
