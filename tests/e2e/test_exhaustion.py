"""A server at the end of its descriptors, and after thousands of requests (rows F10, G1; I18)."""

from __future__ import annotations

import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.e2e.server_process import ACTORQ, PATIENCE_S, Server, call
from tests.e2e.test_serve import AS_MODULE, DOORS, put, stop

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW = 64
"""How many files the server may have open, connections included."""

FEW_FILES = (
    f"import resource, runpy, sys\nresource.setrlimit(resource.RLIMIT_NOFILE, ({FEW}, {FEW}))\n"
)
LIVES = 200
CLIENTS = 4
RISE = 8 * 2**20
"""Bytes by which memory may rise after the first of three rounds: SQLite fills its caches meanwhile."""


def connect(url: str) -> socket.socket:
    """Open a connection, whether or not the server takes it."""
    parts = urlsplit(url)
    return socket.create_connection(("127.0.0.1", parts.port or 0), PATIENCE_S)


@pytest.mark.parametrize("door", DOORS)
def test_a_server_without_descriptors_waits_for_some(tmp_path: Path, door: dict[str, str]) -> None:
    """When no file can be opened, open connections are served, and new ones when others end (I17)."""
    with Server(tmp_path, "-c", FEW_FILES + AS_MODULE, settings=door) as server:
        url = server.url()
        kept = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port, timeout=PATIENCE_S)
        # With this the lane that reads has its connection to the store.
        kept.request("GET", "/queues")
        assert kept.getresponse().read()
        with ExitStack() as crowd, closing(kept):
            for _ in range(2 * FEW):
                crowd.enter_context(closing(connect(url)))
            event = json.loads(server.logged("cannot take a connection"))
            assert (event["level"], event["logger"]) == ("error", "actorq.http")
            kept.request("GET", "/queues")
            assert kept.getresponse().status == 200
        assert put(url, "x")[0] == 201
        stop(server)


class Held(NamedTuple):
    """What a process has of what it could run out of."""

    memory: int
    files: int
    threads: int

    @classmethod
    def by(cls, pid: int) -> Held:
        """Look at a process."""
        folder = Path("/proc") / str(pid)
        lines = (folder / "status").read_text("utf-8").splitlines()
        fields = {name: text.split() for name, _, text in (line.partition(":") for line in lines)}
        return cls(
            int(fields["VmRSS"][0]) * 1024,
            len(list((folder / "fd").iterdir())),
            int(fields["Threads"][0]),
        )


def live(url: str) -> None:
    """Make and complete jobs, with slips and departures in between, on one connection after the other."""

    def bodies() -> Iterator[tuple[str, str, object]]:
        queue = {"worker_id": "w", "wait": 1}
        for number in range(LIVES // CLIENTS):
            yield (
                "POST",
                "/jobs",
                {"queue_name": "work", "payload": "x" * 1_000, "priority": number},
            )
            yield "POST", "/queues/work/dequeue", queue
            yield "POST", "/jobs/batch", {"jobs": "none"}
            yield "GET", f"/jobs/{number}", None

    wire = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port, timeout=PATIENCE_S)
    for number, (method, path, body) in enumerate(bodies()):
        wire.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
        answer = json.loads(wire.getresponse().read() or "null")
        if path.endswith("dequeue") and answer is not None:
            lease = {"lease": answer["lease"]["token"]}
            assert call(url, "POST", f"/jobs/{answer['id']}/ack", lease)[0] == 200
        if number % 50 == 0:
            with closing(connect(url)) as leaving:
                leaving.sendall(b"POST /queues/none/dequeue HTTP/1.1\r\nHost: t\r\n\r\n")
    wire.close()


@pytest.mark.parametrize("door", DOORS)
def test_thousands_of_requests_leave_nothing_behind(tmp_path: Path, door: dict[str, str]) -> None:
    """After a warm-up neither memory nor files nor threads rise with the requests served (G1)."""
    settings = {**door, "RETENTION_MAX_COMPLETED": "50"}
    with (
        Server(tmp_path, *ACTORQ, settings=settings) as server,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        url = server.url()
        held: list[Held] = []
        for _ in range(3):
            list(pool.map(live, [url] * CLIENTS))
            held.append(Held.by(server.process.pid))
        first, *_, last = held
        assert last.memory - first.memory < RISE
        # Who has just left may still be counted.
        assert last.files <= first.files + CLIENTS
        assert last.threads <= first.threads + CLIENTS
        stop(server)
