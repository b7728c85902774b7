"""The closed family of errors: what can go wrong, in one word each.

An expected refusal (a lost lease, a full queue) travels between the parts as a *value* of one of
these classes and is raised only at the face, in front of the caller. ``code`` is the stable word
that a program may compare; ``retryable`` says whether the same call may succeed later.
"""

from __future__ import annotations

from typing import ClassVar


class ActorqError(Exception):
    """The root of every error that actorq raises on purpose."""

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False


class ConfigurationError(ActorqError):
    """A setting is wrong, a store cannot be used as asked, or an optional extra is missing."""

    code = "configuration_error"


class InvalidInput(ActorqError, ValueError):
    """A value breaks the bounds of the contract.

    ``pointer`` is the JSON pointer of the offending value inside the request, such as
    ``/priority``; the empty pointer is the request as a whole.
    """

    code = "invalid_input"

    def __init__(self, pointer: str, message: str) -> None:
        """Name the place and say what is allowed there."""
        super().__init__(f"{pointer or 'request'}: {message}")
        self.pointer = pointer
        self.message = message


class NotFound(ActorqError):
    """There is no job of that id."""

    code = "not_found"

    def __init__(self, job_id: str) -> None:
        """Name the job that is not there."""
        super().__init__(f"no job has the id {job_id}")
        self.job_id = job_id


class LeaseLost(ActorqError):
    """The token is not that of the current lease: the job expired, went to another, or ended."""

    code = "lease_lost"

    def __init__(self, job_id: str) -> None:
        """Name the job whose lease is somebody else's by now."""
        super().__init__(f"the lease of job {job_id} is no longer held by this token")
        self.job_id = job_id


class NotLeased(ActorqError):
    """The job is not running, so there is no lease to settle without a token."""

    code = "not_leased"

    def __init__(self, job_id: str, status: str) -> None:
        """Name the job and the status that it has instead."""
        super().__init__(f"job {job_id} is {status}, not running: it has no lease")
        self.job_id = job_id
        self.status = status


class TokenRequired(ActorqError):
    """This server settles a job only for the holder of its lease token."""

    code = "token_required"

    def __init__(self) -> None:
        """Say which setting asks for it."""
        super().__init__(
            "a lease token is required here (REQUIRE_LEASE_TOKEN): send the one that the dequeue gave"
        )


class IllegalTransition(ActorqError):
    """The job's status does not allow this."""

    code = "illegal_transition"

    def __init__(self, job_id: str, status: str, action: str) -> None:
        """Name the job, its status and what was asked of it."""
        super().__init__(f"job {job_id} is {status}: {action} is not possible")
        self.job_id = job_id
        self.status = status


class AlreadyStarted(ActorqError):
    """An at-most-once job that was ever claimed cannot be given out again."""

    code = "already_started"

    def __init__(self, job_id: str) -> None:
        """Name the job."""
        super().__init__(
            f"job {job_id} is at_most_once and was claimed before: it may not run again"
        )
        self.job_id = job_id


class DuplicateJob(ActorqError):
    """A live job holds this dedupe key, and the caller asked to be refused in that case."""

    code = "duplicate_job"

    def __init__(self, holder_id: str, dedupe_key: str) -> None:
        """Name the job that holds the key."""
        super().__init__(f"job {holder_id} holds the dedupe key {dedupe_key!r}")
        self.job_id = holder_id


class IdempotencyKeyReused(ActorqError):
    """The idempotency key was used before, for another request."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        """Say what the key is bound to."""
        super().__init__("this idempotency key belongs to a different request")


class StaleVersion(ActorqError):
    """The job changed since the version that the edit was based on."""

    code = "stale_version"

    def __init__(self, job_id: str, version: int) -> None:
        """Name the job and the version that it has now."""
        super().__init__(f"job {job_id} is at version {version} by now")
        self.job_id = job_id
        self.version = version


class ScheduleNotFound(ActorqError):
    """There is no schedule of that name."""

    code = "schedule_not_found"

    def __init__(self, name: str) -> None:
        """Name the schedule that is not there."""
        super().__init__(f"no schedule has the name {name}")
        self.name = name


class ScheduleExists(ActorqError):
    """There is a schedule of that name already, and the caller asked for a new one."""

    code = "schedule_exists"

    def __init__(self, name: str) -> None:
        """Name the schedule that is there."""
        super().__init__(f"there is a schedule {name} already")
        self.name = name


class StaleSchedule(StaleVersion):
    """The schedule was defined anew since the version that the change was based on."""

    def __init__(self, name: str, version: int) -> None:
        """Name the schedule and the version that it has now."""
        super().__init__(name, version)
        self.args = (f"schedule {name} is at version {version} by now",)
        self.name = name


class QueueFull(ActorqError):
    """The queue holds as many waiting jobs as its ``max_depth`` allows."""

    code = "queue_full"
    retryable = True

    def __init__(self, queue_name: str, max_depth: int) -> None:
        """Name the queue and its bound."""
        super().__init__(f"queue {queue_name} is full: its max_depth is {max_depth}")
        self.queue_name = queue_name


class Overloaded(ActorqError):
    """A mailbox, or the number of waiting callers, is at its bound: try again shortly."""

    code = "overloaded"
    retryable = True


class BackendUnavailable(ActorqError):
    """The store did not answer, or refused for a passing reason. The outcome may be unknown."""

    code = "backend_unavailable"
    retryable = True


class ShuttingDown(ActorqError):
    """The server is on its way out and takes nothing new."""

    code = "shutting_down"
    retryable = True


class InternalError(ActorqError):
    """A bug inside actorq: it is in the log, with its traceback."""

    code = "internal_error"
