"""actorq: a distributed job queue with one fenced semantics on every store, for asyncio and trio."""

from actorq.core.commands import Ack, Edit, Extend, Fail, ListJobs, Release, Report
from actorq.core.instants import from_datetime, to_datetime
from actorq.core.job import (
    Backoff,
    DeadReason,
    Delivery,
    ErrorKind,
    Job,
    JobError,
    Lease,
    NewJob,
    OnDuplicate,
)
from actorq.core.place import Place
from actorq.core.policy import Policy, Retention
from actorq.core.queue import QueueEdit, QueueLength, QueueSettings, QueueStats
from actorq.core.results import Claimed, Enqueued, Outcome, Page, PrunedReplay, Settled
from actorq.core.retry import Failure
from actorq.core.schedule import CatchUp, NewSchedule, Schedule
from actorq.core.ticks import Timing
from actorq.core.transitions import Status
from actorq.core.workflow import OnParentFailure, Workflow
from actorq.errors import (
    ActorqError,
    AlreadyStarted,
    BackendUnavailable,
    ConfigurationError,
    DuplicateJob,
    IdempotencyKeyReused,
    IllegalTransition,
    InternalError,
    InvalidInput,
    LeaseLost,
    NotFound,
    NotLeased,
    Overloaded,
    QueueFull,
    ScheduleExists,
    ScheduleNotFound,
    ShuttingDown,
    StaleSchedule,
    StaleVersion,
    TokenRequired,
)
from actorq.face import EnqueueOptions, JobQueue
from actorq.opening import open_queue
from actorq.runtime import Options
from actorq.sdk.app import App
from actorq.sdk.codec import Codec, Unreadable, Zlib
from actorq.sdk.context import Context
from actorq.sdk.errors import JobCancelled, JobFailed, NotConnected, TaskError
from actorq.sdk.handle import ChainHandle, GroupHandle, JobHandle
from actorq.sdk.injection import injected
from actorq.sdk.task import Call, Task
from actorq.sdk.verdicts import Reject, Retry, Snooze
from actorq.sdk.worker import Worker
from actorq.sdk.workflow import Chain, Group, chain, group

__version__ = "0.1.0"

__all__ = [
    "Ack",
    "ActorqError",
    "AlreadyStarted",
    "App",
    "BackendUnavailable",
    "Backoff",
    "Call",
    "CatchUp",
    "Chain",
    "ChainHandle",
    "Claimed",
    "Codec",
    "ConfigurationError",
    "Context",
    "DeadReason",
    "Delivery",
    "DuplicateJob",
    "Edit",
    "EnqueueOptions",
    "Enqueued",
    "ErrorKind",
    "Extend",
    "Fail",
    "Failure",
    "Group",
    "GroupHandle",
    "IdempotencyKeyReused",
    "IllegalTransition",
    "InternalError",
    "InvalidInput",
    "Job",
    "JobCancelled",
    "JobError",
    "JobFailed",
    "JobHandle",
    "JobQueue",
    "Lease",
    "LeaseLost",
    "ListJobs",
    "NewJob",
    "NewSchedule",
    "NotConnected",
    "NotFound",
    "NotLeased",
    "OnDuplicate",
    "OnParentFailure",
    "Options",
    "Outcome",
    "Overloaded",
    "Page",
    "Place",
    "Policy",
    "PrunedReplay",
    "QueueEdit",
    "QueueFull",
    "QueueLength",
    "QueueSettings",
    "QueueStats",
    "Reject",
    "Release",
    "Report",
    "Retention",
    "Retry",
    "Schedule",
    "ScheduleExists",
    "ScheduleNotFound",
    "Settled",
    "ShuttingDown",
    "Snooze",
    "StaleSchedule",
    "StaleVersion",
    "Status",
    "Task",
    "TaskError",
    "Timing",
    "TokenRequired",
    "Unreadable",
    "Worker",
    "Workflow",
    "Zlib",
    "chain",
    "from_datetime",
    "group",
    "injected",
    "open_queue",
    "to_datetime",
]
