"""Many clients at once, and what they may send: keys, sizes, a full disk (rows E1, E4, E5, F2)."""

from __future__ import annotations

import select
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
import pytest

from tests.e2e.server_process import ACTORQ, PATIENCE_S, Server, ask, call
from tests.e2e.test_serve import AS_MODULE, NO_ROOM, put, take

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.e2e.server_process import Answer

CLIENTS = 50
DOORS = [
    pytest.param({"EVENT_LOOP": "asyncio"}, id="hypercorn-asyncio"),
    pytest.param({"EVENT_LOOP": "trio"}, id="hypercorn-trio"),
    pytest.param({"HTTP_SERVER": "uvicorn"}, id="uvicorn"),
]


class Job(msgspec.Struct):
    """What is read of a job."""

    id: str
    status: str
    attempt: int = 0
    duplicate: bool = False


class Figures(msgspec.Struct):
    """What is read of a queue's figures."""

    accepted: int


@pytest.fixture
def urls(tmp_path: Path) -> Generator[list[str]]:
    """Run two servers on one file."""
    with Server(tmp_path, *ACTORQ) as first, Server(tmp_path, *ACTORQ) as second:
        yield [first.url(), second.url()]


def at_once(urls: list[str], body: object, headers: dict[str, str] | None = None) -> list[Answer]:
    """Send one request from many clients at once, to one server and the other in turns."""

    def send(number: int) -> Answer:
        return ask(urls[number % len(urls)], "POST", "/jobs", body, headers=headers)

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(send, range(CLIENTS)))


def accepted(url: str) -> int:
    """Return how many jobs there ever were."""
    return msgspec.convert(call(url, "GET", "/queues/work")[1], Figures).accepted


def test_fifty_clients_with_one_dedupe_key_make_one_job(urls: list[str]) -> None:
    """However many ask at once, on several servers: one makes it, the others are told which (E1, I10)."""
    answers = at_once(urls, {"queue_name": "work", "payload": "x", "dedupe_key": "k"})
    jobs = [msgspec.convert(answer.body, Job) for answer in answers]
    assert len({job.id for job in jobs}) == 1
    assert sorted(answer.status for answer in answers) == [200] * (CLIENTS - 1) + [201]
    assert sum(job.duplicate for job in jobs) == CLIENTS - 1
    assert accepted(urls[0]) == 1


def test_fifty_clients_with_one_idempotency_key_make_one_job(urls: list[str]) -> None:
    """One request sent many times at once has one effect; another under its key has none (E5, I11)."""
    body = {"queue_name": "work", "payload": "x"}
    key = {"Idempotency-Key": "k"}
    answers = at_once(urls, body, key)
    assert {answer.status for answer in answers} == {201}
    assert len({msgspec.convert(answer.body, Job).id for answer in answers}) == 1
    replayed = [answer.headers.get("idempotent-replayed") for answer in answers]
    assert (replayed.count("true"), replayed.count(None)) == (CLIENTS - 1, 1)
    others = at_once(urls, {**body, "payload": "y"}, key)
    assert {answer.status for answer in others} == {422}
    # Another queue is another scope, and another route is the same one.
    assert ask(urls[0], "POST", "/jobs", {**body, "queue_name": "else"}, headers=key).status == 201
    items = [{**body, "idempotency_key": "k"}, {**body, "payload": "z", "idempotency_key": "k"}]
    status, answer = call(urls[1], "POST", "/jobs/batch", {"jobs": items})
    assert status == 200
    results = msgspec.convert(answer, dict[str, list[dict[str, object]]])["results"]
    assert [result["status"] for result in results] == [201, 422]
    assert results[0]["replayed"] is True
    assert accepted(urls[0]) == 1


def test_a_full_disk_leaves_a_failed_job_where_it_is(tmp_path: Path) -> None:
    """A move to the dead letters that cannot be written did not happen, and can be repeated (E4, I2)."""
    with Server(tmp_path, "-c", NO_ROOM + AS_MODULE) as server:
        url = server.url()
        assert put(url, "small")[0] == 201
        job = take(url)
        assert job is not None
        assert job.lease is not None
        # Down to the last page: where no small job fits, no failure with a long reason does.
        for size in (10_000, 1):
            while (status := put(url, "x" * size)[0]) == 201:
                pass
            assert status == 503
        failure = {"lease": job.lease.token, "retryable": False, "reason": "r" * 4_000}
        status, refusal = call(url, "POST", f"/jobs/{job.id}/fail", failure)
        assert status == 503, refusal
        shown = msgspec.convert(call(url, "GET", f"/jobs/{job.id}")[1], Job)
        assert (shown.status, shown.attempt) == ("running", 1)
        assert call(url, "GET", "/queues/work/dead")[1] == {"jobs": [], "next": None}
    with Server(tmp_path, *ACTORQ) as server:
        url = server.url()
        status, dead = call(url, "POST", f"/jobs/{job.id}/fail", failure)
        assert (status, msgspec.convert(dead, Job).status) == (200, "dead")


LIMIT = 8 * 2**20
HUGE = 512 * 2**20


def request(path: str, *headers: str) -> bytes:
    """Write the head of a request with a body."""
    lines = [f"POST {path} HTTP/1.1", "Host: t", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


def pour(url: str, head: bytes, piece: bytes) -> tuple[int, int]:
    """Send a head and then pieces until there is an answer; return its status and the bytes sent."""
    parts = urlsplit(url)
    assert parts.port is not None
    with socket.create_connection(("127.0.0.1", parts.port), PATIENCE_S) as wire:
        wire.sendall(head)
        sent = 0
        while sent < HUGE and not select.select([wire], [], [], 0 if piece else PATIENCE_S)[0]:
            wire.sendall(piece)
            sent += len(piece)
        return int(wire.recv(100).split()[1]), sent


class Memory:
    """The resident memory of a process, in bytes."""

    def __init__(self, pid: int) -> None:
        """Count from how it is now."""
        self._folder = Path("/proc") / str(pid)
        (self._folder / "clear_refs").write_text("5")
        self._before = self._read("VmHWM")

    def peak(self) -> int:
        """Return by how much it has risen at most."""
        return self._read("VmHWM") - self._before

    def _read(self, name: str) -> int:
        lines = (self._folder / "status").read_text("utf-8").splitlines()
        (line,) = [line for line in lines if line.startswith(name)]
        return int(line.split()[1]) * 1024


@pytest.mark.parametrize("door", DOORS)
def test_a_huge_body_is_refused_without_being_held(tmp_path: Path, door: dict[str, str]) -> None:
    """At the limit it is taken; beyond it the refusal is early, and costs next to no memory (F2)."""
    frame = len('{"queue_name": "work", "payload": ""}')
    settings = {**door, "MAX_BODY_BYTES": f"{LIMIT}", "MAX_PAYLOAD_BYTES": f"{LIMIT}"}
    with Server(tmp_path, *ACTORQ, settings=settings) as server:
        url = server.url()
        assert put(url, "x" * (LIMIT - frame))[0] == 201
        memory = Memory(server.process.pid)
        assert put(url, "x" * (LIMIT - frame + 1))[0] == 413
        for length in (LIMIT + 1, HUGE, 10**15):
            assert pour(url, request("/jobs", f"Content-Length: {length}"), b"") == (413, 0)
        many = b"%x\r\n%b\r\n" % (2**16, bytes(2**16))
        for path in ("/jobs", "/jobs/batch", "/jobs/settle", "/queues/work/dequeue"):
            status, sent = pour(url, request(path, f"Content-Length: {HUGE}"), bytes(2**16))
            assert (status, sent < HUGE) == (413, True)
            status, sent = pour(url, request(path, "Transfer-Encoding: chunked"), many)
            assert (status, sent < HUGE) == (413, True)
        assert memory.peak() < 2 * LIMIT
        assert put(url, "small")[0] == 201
