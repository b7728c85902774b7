"""What clients and workers saw, written down outside the server, and the promises it must keep."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Asked(NamedTuple):
    """One request for a job: its own idempotency key and what it asked for."""

    key: str
    payload: str
    delivery: str


class Started(NamedTuple):
    """A worker has begun: noted before anything else happens."""

    job_id: str
    token: str
    attempt: int


class Ended(NamedTuple):
    """How a job stands at the end, as the server shows it."""

    status: str
    payload: str
    attempt: int
    retry_count: int
    expiries: int
    result: object
    dead_reason: str | None


class History:
    """Notes of many threads."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._notes = 0
        self.asked: dict[str, Asked] = {}
        self.accepted: dict[str, str] = {}
        """Idempotency key to job id, for each enqueue that was acknowledged."""
        self.started: list[Started] = []
        self.acked: dict[str, str] = {}
        """Job id to the token whose ack was acknowledged."""

    def ask(self, asked: Asked) -> None:
        with self._lock:
            self.asked[asked.key] = asked
            self._noted()

    def accept(self, key: str, job_id: str) -> None:
        """Note an acknowledged enqueue; a repeat must have got the same job (I11)."""
        with self._lock:
            assert self.accepted.setdefault(key, job_id) == job_id
            self._noted()

    def start(self, started: Started) -> None:
        with self._lock:
            self.started.append(started)
            self._noted()

    def ack(self, job_id: str, token: str) -> None:
        """Note an acknowledged ack; only one token may ever have completed the job (I6)."""
        with self._lock:
            assert self.acked.setdefault(job_id, token) == token
            self._noted()

    def wait_for_more(self, count: int, patience: float) -> None:
        """Wait until ``count`` more notes were made: the load is under way, and this far."""
        with self._lock:
            goal = self._notes + count
            assert self._lock.wait_for(lambda: self._notes >= goal, patience), (
                "the load stands still"
            )

    def _noted(self) -> None:
        self._notes += 1
        self._lock.notify_all()

    def unknown(self) -> list[Asked]:
        """Return the requests whose outcome nobody knows yet."""
        with self._lock:
            return [asked for key, asked in self.asked.items() if key not in self.accepted]

    # ── judging ─────────────────────────────────────────────────────────────────────────────────

    def judge(self, ended: Mapping[str, Ended]) -> None:
        """Compare with how all jobs stand at the end: every request is known by now."""
        assert self.accepted.keys() == self.asked.keys()
        assert len(set(self.accepted.values())) == len(self.accepted)
        assert ended.keys() == set(self.accepted.values())
        by_id = {job_id: self.asked[key] for key, job_id in self.accepted.items()}
        for job_id, job in ended.items():
            assert job.payload == by_id[job_id].payload
            self._judge_job(job_id, by_id[job_id], job)
        tokens = Counter(started.token for started in self.started)
        assert set(tokens.values()) <= {1}

    def _judge_job(self, job_id: str, asked: Asked, job: Ended) -> None:
        starts = [started for started in self.started if started.job_id == job_id]
        attempts = [started.attempt for started in starts]
        assert len(set(attempts)) == len(attempts)
        assert max(attempts, default=0) <= job.attempt
        # No handler ever failed: what the world did to servers and stores is not its failure (I8).
        assert job.retry_count == 0
        if asked.delivery == "at_most_once":
            assert len(starts) <= 1
        if job_id in self.acked:
            assert job.status == "completed"
            assert job.result == self.acked[job_id]
        elif job.status == "completed":
            # The ack took effect and its answer was lost: it is the word of some start.
            assert job.result in {started.token for started in starts}
        else:
            # Nothing here ever fails: only a lost worker ends a job that is started at most once.
            assert (job.status, job.dead_reason) == ("dead", "lease_expired")
            assert asked.delivery == "at_most_once"
