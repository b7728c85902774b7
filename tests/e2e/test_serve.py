"""``actorq serve`` as a newcomer and an operator meet it: real processes, plain HTTP, one SQLite file."""

from __future__ import annotations

import json
import signal
import socket
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.e2e.server_process import ACTORQ, Server, call

if TYPE_CHECKING:
    from pathlib import Path

DOORS = [
    pytest.param({"EVENT_LOOP": "asyncio"}, id="hypercorn-asyncio"),
    pytest.param({"EVENT_LOOP": "trio"}, id="hypercorn-trio"),
    pytest.param({"HTTP_SERVER": "uvicorn"}, id="uvicorn"),
]
NO_ROOM = (
    "import resource, runpy, sys\nresource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"
)
AS_MODULE = "sys.argv[1:] = ['serve']\nrunpy.run_module('actorq', run_name='__main__')\n"


class Held(msgspec.Struct):
    """What is read of a lease."""

    token: str


class Job(msgspec.Struct):
    """What is read of a job."""

    id: str
    status: str
    payload: str
    lease: Held | None = None


def put(url: str, payload: str, **wish: object) -> tuple[int, object]:
    """Ask for a job of the queue ``work``."""
    return call(url, "POST", "/jobs", {"queue_name": "work", "payload": payload, **wish})


def take(url: str, **wish: object) -> Job | None:
    """Claim a job of the queue ``work``."""
    status, job = call(url, "POST", "/queues/work/dequeue", {"worker_id": "w", **wish})
    assert status in {200, 204}
    return None if status == 204 else msgspec.convert(job, Job)


def stop(server: Server) -> None:
    """Stop a server in order."""
    server.send(signal.SIGTERM)
    code, events = server.end()
    assert code == 0, events


@pytest.mark.parametrize("door", DOORS)
def test_a_job_lives_its_life(tmp_path: Path, door: dict[str, str]) -> None:
    """A job goes from POST to ack over every door, and the file remembers it after a stop (§9)."""
    with Server(tmp_path, *ACTORQ, settings=door) as server:
        url = server.url()
        status, made = put(url, "a\0b")
        assert status == 201
        job = take(url)
        assert job is not None
        assert job.lease is not None
        assert job.payload == "a\0b"
        status, done = call(url, "POST", f"/jobs/{job.id}/ack", {"lease": job.lease.token})
        assert (status, msgspec.convert(done, Job).status) == (200, "completed")
        stop(server)
    with Server(tmp_path, *ACTORQ, settings=door) as server:
        status, found = call(server.url(), "GET", f"/jobs/{msgspec.convert(made, Job).id}")
        assert (status, msgspec.convert(found, Job).status) == (200, "completed")


def test_a_job_put_on_one_server_reaches_a_waiter_on_another(tmp_path: Path) -> None:
    """Two servers share one file, and news of one wakes the consumers of the other (§8)."""
    with Server(tmp_path, *ACTORQ) as first, Server(tmp_path, *ACTORQ) as second:
        url, other = first.url(), second.url()
        assert put(url, "hello")[0] == 201
        job = take(other, wait=10)
        assert job is not None
        assert job.payload == "hello"
        assert take(url) is None


def test_two_servers_may_start_on_an_empty_file_at_once(tmp_path: Path) -> None:
    """Migrations of servers that start together do not get in each other's way."""
    servers = [Server(tmp_path, *ACTORQ) for _ in range(4)]
    try:
        for server in servers:
            assert put(server.url(), "x")[0] == 201
    finally:
        for server in servers:
            server.__exit__(None, None, None)


@pytest.mark.parametrize("what", ["text", "directory", "foreign"])
def test_a_file_that_is_no_store_stops_the_start(tmp_path: Path, what: str) -> None:
    """A file that is not ours is refused with exit code 2 and one clear line, and is not touched."""
    path = tmp_path / "jobs.db"
    if what == "directory":
        path.mkdir()
    elif what == "foreign":
        import sqlite3

        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE somebody_elses (x)")
        connection.close()
    else:
        path.write_text(
            "this is not a database, and longer than one header of a hundred bytes " * 4
        )
    before = None if path.is_dir() else path.read_bytes()
    with Server(tmp_path, *ACTORQ, settings={"SQLITE_PATH": str(path)}) as server:
        code, events = server.end()
    assert code == 2, events
    assert len(events) == 1, events
    assert str(path) in json.loads(events[0])["event"]
    assert before is None or path.read_bytes() == before


def test_a_full_disk_refuses_and_loses_nothing(tmp_path: Path) -> None:
    """Where the disk is full an enqueue is 503; what was accepted before is there and whole (I1)."""
    accepted: list[str] = []
    with Server(tmp_path, "-c", NO_ROOM + AS_MODULE) as server:
        url = server.url()
        status, answer = put(url, "small")
        accepted.append(msgspec.convert(answer, Job).id)
        for _ in range(100):
            status, answer = put(url, "x" * 10_000)
            if status != 201:
                break
            accepted.append(msgspec.convert(answer, Job).id)
        assert status == 503, answer
        assert isinstance(answer, dict)
        assert answer["retryable"] is True
        assert call(url, "GET", f"/jobs/{accepted[0]}")[0] == 200
    with Server(tmp_path, *ACTORQ) as server:
        url = server.url()
        taken = [take(url) for _ in accepted]
        assert [job.id for job in taken if job is not None] == accepted
        assert take(url) is None
        assert put(url, "there is room again")[0] == 201


def test_a_port_in_use_is_told_in_one_line(tmp_path: Path) -> None:
    """Another program on the port stops the start with exit code 2 and names the port."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        with Server(tmp_path, *ACTORQ, settings={"PORT": port}) as server:
            code, events = server.end()
    assert code == 2
    assert len(events) == 1
    assert port in events[0]
    assert "in use" in events[0]


def test_an_open_address_needs_a_word(tmp_path: Path) -> None:
    """Without authentication a server does not start where strangers could reach it (F7)."""
    everywhere = {"HOST": "0.0.0.0"}  # noqa: S104 - refused
    with Server(tmp_path, *ACTORQ, settings=everywhere) as server:
        code, lines = server.end()
    assert code == 2
    assert len(lines) == 1
    assert "ALLOW_UNAUTHENTICATED=true" in lines[0]
