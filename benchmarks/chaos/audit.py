"""The audit: when everything is quiet, each queue's figures and each job, read as anybody can."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from actorq.testing.invariants.events import Audited, Counted, Listed, Status
from benchmarks.chaos.door import OK
from benchmarks.chaos.notes import now
from benchmarks.chaos.plan import QUEUES
from benchmarks.chaos.shown import ShownJob

if TYPE_CHECKING:
    from benchmarks.chaos.door import Client
    from benchmarks.chaos.notes import Maker, Notes

T = TypeVar("T")

_POLL_S: Final = 0.2
_PATIENCE_S: Final = 30.0
_STATUSES: Final[tuple[Status, ...]] = (
    "pending",
    "delayed",
    "running",
    "completed",
    "dead",
    "cancelled",
)


class Figures(msgspec.Struct):
    """What is read of a queue's figures."""

    pending: int
    delayed: int
    running: int
    completed: int
    dead: int
    cancelled: int
    accepted: int
    pruned: int

    @property
    def live(self) -> int:
        """How many jobs have not ended."""
        return self.pending + self.delayed + self.running

    def counts(self) -> dict[Status, int]:
        """Return the figures by status."""
        return {status: getattr(self, status) for status in _STATUSES}


class _Page(msgspec.Struct):
    jobs: list[ShownJob]
    next: str | None = None


def bound_queues(client: Client, depth: int) -> None:
    """Let no queue take more than so many jobs that wait: producers are told to come again (429)."""
    for queue in QUEUES:
        answer = client.call("PATCH", f"/queues/{queue}/settings", {"max_depth": depth})
        if answer is None or answer.status != OK:
            raise RuntimeError(f"queue {queue} could not be bounded: {answer}")


class Auditor:
    """Reads at one door, and notes what it was shown."""

    def __init__(self, client: Client, notes: Notes) -> None:
        """Begin."""
        self._client = client
        self._notes = notes

    def wait_for_calm(self, end: float) -> bool:
        """Wait until every job has ended; False when some have not by that moment."""
        while any(self._figures(queue).live for queue in QUEUES):
            if now() > end:
                return False
            time.sleep(_POLL_S)
        return True

    def read_everything(self) -> None:
        """Note the figures of every queue, and how each of its jobs stands."""
        for queue in QUEUES:
            since = now()
            figures = self._figures(queue)
            self._notes.note(_counted(queue, figures, since))
            self._read_jobs(queue)

    def _read_jobs(self, queue: str) -> None:
        ids: list[str] = []
        since = now()
        base = f"/jobs?queue_name={queue}&limit=200"
        path: str | None = base
        while path is not None:
            asked = now()
            page = self._get(path, _Page)
            self._notes.note(*(_audited(job, asked) for job in page.jobs))
            ids += [job.id for job in page.jobs]
            path = page.next and f"{base}&cursor={page.next}"
        listed = tuple(ids)
        self._notes.note(
            lambda at, by: Listed(at=at, actor=by, since=since, queue=queue, job_ids=listed)
        )

    def _figures(self, queue: str) -> Figures:
        return self._get(f"/queues/{queue}", Figures)

    def _get(self, path: str, form: type[T]) -> T:
        """Read once it is answered: a server may still be coming back to itself."""
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end:
            answer = self._client.call("GET", path, patience=_PATIENCE_S)
            if answer is not None and answer.status == OK:
                return msgspec.json.decode(answer.body, type=form)
            self._client.rest(answer)
        raise RuntimeError(f"nobody answered GET {path} for {_PATIENCE_S:g} s after all was healed")


def _counted(queue: str, figures: Figures, since: float) -> Maker:
    return lambda at, by: Counted(
        at=at,
        actor=by,
        since=since,
        queue=queue,
        counts=figures.counts(),
        accepted=figures.accepted,
        pruned=figures.pruned,
    )


def _audited(job: ShownJob, since: float) -> Maker:
    return lambda at, by: Audited(at=at, actor=by, since=since, job_id=job.id, seen=job.seen())
