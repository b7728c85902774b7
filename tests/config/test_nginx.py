"""``config/nginx.conf`` in front of two real servers: one address, and every promise kept behind it (§9)."""

from __future__ import annotations

import json
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec
import pytest

from actorq.core.wire.envelopes import ProblemView
from tests.e2e.doors import Door, Waiter
from tests.e2e.server_process import ACTORQ, Server
from tests.servers.nginx import Nginx

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.needs("nginx")

NEWS_S: Final = 1.0
BUSY_S: Final = 5.0
JOBS: Final = 90


class Site:
    """Two servers on one file, and nginx before them."""

    def __init__(self, servers: list[Server]) -> None:
        self.servers = servers
        self.behind = [Door(server.url()) for server in servers]
        ports = [urlsplit(door.url).port or 0 for door in self.behind]
        self._nginx = Nginx(ports)
        self.door = Door(self._nginx.url)

    def close(self) -> None:
        """End nginx; the servers end with their blocks."""
        self._nginx.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Run the site."""
    settings = {"LOG_LEVEL": "warning"}
    with (
        Server(tmp_path, *ACTORQ, settings=settings) as one,
        Server(tmp_path, *ACTORQ, settings=settings) as two,
    ):
        site = Site([one, two])
        yield site
        site.close()


def connections_to(door: Door) -> int:
    """Return how many connections lead to a server now, as the kernel knows them."""
    port = f":{urlsplit(door.url).port:04X}"
    lines = Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]
    return sum(line.split()[2].endswith(port) and line.split()[3] == "01" for line in lines)


def test_one_address_leads_to_both(site: Site) -> None:
    """Consumers that wait are shared among the servers, and a job from either side reaches them (§8)."""
    waiters = [Waiter(site.door, f"q{number}") for number in range(4)]
    assert min(connections_to(door) for door in site.behind) >= 2
    for number in range(4):
        site.door.put(f"q{number}")
    put_at = time.monotonic()
    assert max(waiter.result().at for waiter in waiters) - put_at < NEWS_S + BUSY_S


def test_a_long_poll_may_last(site: Site) -> None:
    """Nothing is cut or answered early while a consumer waits in silence (§9)."""
    begun = time.monotonic()
    assert site.door.take("empty", wait=3) is None
    assert time.monotonic() - begun >= 3


def test_who_hangs_up_gets_no_job(site: Site) -> None:
    """A consumer that left while it waited behind nginx is forgotten: its job goes to another (§9)."""
    place = urlsplit(site.door.url)
    body = json.dumps({"wait": 20, "visibility_timeout": 3600}).encode()
    head = f"POST /queues/left/dequeue HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    for _ in range(4):
        with socket.create_connection((place.hostname or "", place.port or 0)) as left:
            left.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
            assert site.door.take("left") is None
    job = site.door.put("left")
    taken = site.door.taken("left", wait=10)
    assert (taken.id, taken.expiries, taken.retry_count) == (job.id, 0, 0)


def test_a_body_up_to_the_bound_gets_through(site: Site) -> None:
    """A body at the server's bound arrives whole, and beyond it the server's own refusal comes back (§9)."""
    payloads = ["x" * 1_000_000] * 16
    jobs = [{"queue_name": "large", "payload": payload} for payload in payloads]
    answer = site.door.ask("POST", "/jobs/batch", {"jobs": jobs})
    assert answer.status == 200
    assert site.door.figures("large").pending == len(jobs)
    refused = site.door.ask("POST", "/jobs/batch", {"jobs": jobs, "more": "x" * 800_000})
    assert refused.status == 413, refused
    assert "body_too_large" in str(refused.body)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda n: n.name)
def test_a_server_may_go(site: Site, number: signal.Signals) -> None:
    """Whoever repeats what was refused with 503, under its key, has each job once, however one goes (I11)."""

    def put(key: int) -> None:
        body = {"queue_name": "on", "payload": "x", "idempotency_key": str(key)}
        while (answer := site.door.ask("POST", "/jobs", body)).status == 503:
            assert answer.headers["retry-after"] == "1"
        assert answer.status == 201, answer

    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(put, key) for key in range(JOBS)]
        done[JOBS // 3].result()
        site.servers[0].send(number)
        site.servers[0].end()
        for one in done:
            one.result()
    assert site.behind[1].figures("on").accepted == JOBS


def test_without_servers_the_answer_is_one_of_ours(site: Site) -> None:
    """With no server left nginx says what a server without its store says: 503, and when to come (§9)."""
    for server in site.servers:
        server.send(signal.SIGKILL)
        server.process.wait()
    answer = site.door.ask("POST", "/jobs", {"queue_name": "q", "payload": "x"})
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert answer.headers["content-type"] == "application/problem+json"
    problem = msgspec.convert(answer.body, ProblemView)
    assert (problem.status, problem.code, problem.retryable) == (503, "backend_unavailable", True)
