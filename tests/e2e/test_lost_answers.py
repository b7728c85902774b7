"""The server dies over a request, and its client asks again with the same key (rows A5, A6; I1, I11)."""

from __future__ import annotations

import signal
from contextlib import suppress
from http.client import HTTPException
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.e2e.server_process import ACTORQ, ROOT, Answer, Server, ask, call

if TYPE_CHECKING:
    from pathlib import Path

MORTAL = str(ROOT / "tests" / "e2e" / "mortal_server.py")
SIZE = 1_000
MOMENTS = ["before", "after", "0.005", "0.02"]
"""When the server dies: the times are within what a batch of a thousand takes."""


class Job(msgspec.Struct):
    """What is read of a job."""

    id: str
    payload: str


class Item(msgspec.Struct):
    """One result of a batch."""

    status: int
    job: Job
    replayed: bool = False


class Results(msgspec.Struct):
    """The answer to a batch."""

    results: list[Item]


class Figures(msgspec.Struct):
    """What is read of a queue's figures."""

    accepted: int
    pending: int


def ask_and_die(
    folder: Path, path: str, body: object, when: str, headers: dict[str, str]
) -> Answer | None:
    """Send a request over which the server dies; return its answer if that came before the end."""
    answer: Answer | None = None
    with Server(folder, MORTAL) as server:
        # The usual end of a request over which its server dies.
        with suppress(OSError, HTTPException):
            answer = ask(server.url(), "POST", path, body, headers={**headers, "Die": when})
        code, events = server.end()
        assert code == -signal.SIGKILL, events
    return answer


def accepted(url: str) -> int:
    """Return how many jobs there ever were; none has been taken."""
    status, answer = call(url, "GET", "/queues/work")
    figures = msgspec.convert(answer, Figures)
    assert figures.pending == figures.accepted
    return figures.accepted if status == 200 else 0


@pytest.mark.parametrize(("when", "is_there"), [("before", False), ("after", True)])
def test_a_job_whose_answer_was_lost_is_there_once(
    tmp_path: Path, when: str, is_there: bool
) -> None:
    """Killed before or after the commit: the repeat makes the job, or finds the one it made (A5)."""
    body = {"queue_name": "work", "payload": "x"}
    key = {"Idempotency-Key": "k"}
    assert ask_and_die(tmp_path, "/jobs", body, when, key) is None
    with Server(tmp_path, *ACTORQ) as server:
        url = server.url()
        assert accepted(url) == is_there
        again = ask(url, "POST", "/jobs", body, headers=key)
        assert again.status == 201
        assert (again.headers.get("idempotent-replayed") == "true") == is_there
        assert ask(url, "POST", "/jobs", body, headers=key).body == again.body
        assert accepted(url) == 1


def test_a_batch_whose_answer_was_lost_is_there_once(tmp_path: Path) -> None:
    """Killed anywhere in a batch of a thousand: the repeat knows of each item, and none is double (A6)."""
    for number, when in enumerate(MOMENTS, 1):
        jobs = [
            {"queue_name": "work", "payload": f"{when} {n}", "idempotency_key": f"{when}-{n}"}
            for n in range(SIZE)
        ]
        first = ask_and_die(tmp_path, "/jobs/batch", {"jobs": jobs}, when, {})
        with Server(tmp_path, *ACTORQ) as server:
            url = server.url()
            stored = accepted(url) - (number - 1) * SIZE
            status, answer = call(url, "POST", "/jobs/batch", {"jobs": jobs})
            assert status == 200
            items = msgspec.convert(answer, Results).results
            assert [item.status for item in items] == [201] * SIZE
            assert [item.job.payload for item in items] == [job["payload"] for job in jobs]
            assert len({item.job.id for item in items}) == SIZE
            assert sum(item.replayed for item in items) == stored
            assert accepted(url) == number * SIZE
            if first is not None:
                known = msgspec.convert(first.body, Results).results
                assert [item.job.id for item in known] == [item.job.id for item in items]
        if when in {"before", "after"}:
            assert stored == (SIZE if when == "after" else 0)
