"""Every verb of the face, as sweeps of cancellation call it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from actorq import Ack, Edit, Fail, ListJobs, QueueEdit, Release, Status
from actorq.core.commands import Extend, Report
from actorq.core.job import Delivery
from actorq.core.schedule import PauseSchedule

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.system.cancelling import Scene
    from tests.system.house import House

Call: TypeAlias = "Callable[[House, Scene], Coroutine[Any, Any, object]]"


class Verb:
    """A call of the face, and the store's verb that it comes to.

    ``meanwhile`` is what another task does at the same time.
    """

    def __init__(self, name: str, call: Call, meanwhile: Call | None = None, *, store: str) -> None:
        self.name = name
        self.call = call
        self.meanwhile = meanwhile
        self.store = store

    @property
    def method(self) -> str:
        """The method that is called; a name may say more after a comma."""
        return self.name.partition(",")[0]


LEASES = (
    Verb("dequeue", lambda h, _: h.queue.dequeue("q"), store="dequeue"),
    Verb("dequeue, waiting", lambda h, _: h.queue.dequeue("q", wait=30), store="dequeue"),
    Verb(
        "dequeue, waiting for one to come",
        lambda h, _: h.queue.dequeue("empty", wait=30),
        lambda h, _: h.queue.enqueue("empty", "x", delivery=Delivery.AT_MOST_ONCE),
        store="dequeue",
    ),
    Verb("dequeue_many", lambda h, _: h.queue.dequeue_many("q", 5, wait=30), store="dequeue"),
    Verb("ack", lambda h, s: h.queue.ack(s.held), store="ack"),
    Verb("ack_many", lambda h, s: h.queue.ack_many([Ack(s.held.id)]), store="ack"),
    Verb("fail", lambda h, s: h.queue.fail(s.held, retry_in=1), store="fail"),
    Verb("fail_many", lambda h, s: h.queue.fail_many([Fail(s.held.id)]), store="fail"),
    Verb("release", lambda h, s: h.queue.release(s.held), store="release"),
    Verb("release_many", lambda h, s: h.queue.release_many([Release(s.held.id)]), store="release"),
    Verb("extend", lambda h, s: h.queue.extend(s.held), store="extend"),
    Verb("extend_many", lambda h, s: h.queue.extend_many([Extend(s.held.id)]), store="extend"),
    Verb("report", lambda h, s: h.queue.report(s.held, 1), store="report"),
    Verb(
        "report_many",
        lambda h, s: h.queue.report_many([Report(s.held.id, None, "1")]),
        store="report",
    ),
)

JOBS = (
    Verb("enqueue", lambda h, _: h.queue.enqueue("new", "x"), store="enqueue"),
    Verb(
        "enqueue_many",
        lambda h, _: h.queue.enqueue_many([h.queue.new_job("new", "x") for _ in range(3)]),
        store="enqueue",
    ),
    Verb("cancel", lambda h, s: h.queue.cancel(s.waiting.id), store="cancel"),
    Verb("cancel_many", lambda h, s: h.queue.cancel_many([s.waiting.id]), store="cancel"),
    Verb("redrive", lambda h, s: h.queue.redrive(s.dead.id), store="redrive"),
    Verb("redrive_many", lambda h, s: h.queue.redrive_many([s.dead.id]), store="redrive"),
    Verb("delete", lambda h, s: h.queue.delete(s.dead.id), store="delete"),
    Verb("delete_many", lambda h, s: h.queue.delete_many([s.dead.id]), store="delete"),
    Verb(
        "update_job",
        lambda h, s: h.queue.update_job(Edit(id=s.waiting.id, priority=2)),
        store="update_job",
    ),
    Verb(
        "update_jobs",
        lambda h, s: h.queue.update_jobs([Edit(id=s.waiting.id, payload="y")]),
        store="update_job",
    ),
    Verb("get_job", lambda h, s: h.queue.get_job(s.held.id), store="get_job"),
    Verb("get_jobs", lambda h, s: h.queue.get_jobs([s.held.id, s.dead.id]), store="get_job"),
    Verb(
        "wait_for_change",
        lambda h, s: h.queue.wait_for_change(s.waiting.id, s.waiting.version, 30),
        lambda h, s: h.queue.cancel(s.waiting.id),
        store="get_job",
    ),
    Verb("list_jobs", lambda h, _: h.queue.list_jobs(ListJobs()), store="list_jobs"),
)

QUEUES = (
    Verb("list_queues", lambda h, _: h.queue.list_queues(), store="list_queues"),
    Verb("get_queue_length", lambda h, _: h.queue.get_queue_length("q"), store="length"),
    Verb("get_queue_lengths", lambda h, _: h.queue.get_queue_lengths(["q", "r"]), store="length"),
    Verb(
        "update_queue",
        lambda h, _: h.queue.update_queue(QueueEdit(queue_name="q", max_running=9)),
        store="update_queue",
    ),
    Verb("pause", lambda h, _: h.queue.pause("q", "for a while"), store="update_queue"),
    Verb("resume", lambda h, _: h.queue.resume("q"), store="update_queue"),
    Verb("purge", lambda h, _: h.queue.purge("q", frozenset({Status.DEAD})), store="purge"),
    Verb("redrive_dead", lambda h, _: h.queue.redrive_dead("q"), store="list_jobs"),
    Verb("check", lambda h, _: h.queue.check(), store="check"),
)

SCHEDULES = (
    Verb(
        "put_schedule",
        lambda h, _: h.queue.put_schedule(h.queue.new_schedule("new", "night", "x", every=3_600)),
        store="change_schedules",
    ),
    Verb(
        "declare_schedules",
        lambda h, _: h.queue.declare_schedules(
            [h.queue.new_schedule("declared", "night", "x", cron="0 3 * * *")]
        ),
        store="change_schedules",
    ),
    Verb(
        "change_schedules",
        lambda h, _: h.queue.change_schedules([PauseSchedule(name="nightly", paused=True)]),
        store="change_schedules",
    ),
    Verb("get_schedule", lambda h, _: h.queue.get_schedule("nightly"), store="get_schedules"),
    Verb(
        "get_schedules",
        lambda h, _: h.queue.get_schedules(["nightly", "none"]),
        store="get_schedules",
    ),
    Verb("list_schedules", lambda h, _: h.queue.list_schedules(), store="list_schedules"),
    Verb(
        "pause_schedule", lambda h, _: h.queue.pause_schedule("nightly"), store="change_schedules"
    ),
    Verb(
        "resume_schedule", lambda h, _: h.queue.resume_schedule("nightly"), store="change_schedules"
    ),
    Verb(
        "delete_schedule", lambda h, _: h.queue.delete_schedule("nightly"), store="change_schedules"
    ),
    Verb("run_schedule", lambda h, _: h.queue.run_schedule("nightly"), store="enqueue"),
    Verb("preview_ticks", lambda h, _: h.queue.preview_ticks("nightly"), store="check"),
)

VERBS = LEASES + JOBS + QUEUES + SCHEDULES
