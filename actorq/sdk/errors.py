"""What can go wrong with tasks: in their definition, and in the jobs that they became."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.errors import ActorqError

if TYPE_CHECKING:
    from actorq.core.job import Job


class TaskError(ActorqError, TypeError):
    """A function cannot be a task as it stands; the message names the task and the parameter."""

    code = "task_error"


class NotConnected(ActorqError):
    """An app was asked to reach a queue before ``app.connect``, or after it ended."""

    code = "not_connected"

    def __init__(self) -> None:
        """Say what is missing."""
        super().__init__("this app knows no queue: enqueue inside 'async with app.connect(...)'")


class JobFailed(ActorqError):
    """The job whose result was awaited is dead: ``job`` has its errors, and why it is."""

    code = "job_failed"

    def __init__(self, job: Job) -> None:
        """Name the job, and its last error."""
        reason = job.dead_reason.value if job.dead_reason is not None else "dead"
        last = f": {job.errors[-1].message}" if job.errors else ""
        super().__init__(f"job {job.id} is dead ({reason}){last}")
        self.job = job


class JobCancelled(ActorqError):
    """The job was cancelled: raised to who awaits its result, and to a handler that asks."""

    code = "job_cancelled"

    def __init__(self, job_id: str) -> None:
        """Name the job."""
        super().__init__(f"job {job_id} was cancelled")
        self.job_id = job_id
