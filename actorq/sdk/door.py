"""The door: all that tasks and workers ask of a queue, whether it runs in this process or far away.

Two things fit it: a ``JobQueue`` (``actorq.sdk.embedded.EmbeddedDoor``) and the HTTP client
(``actorq.sdk.client.door.ClientDoor``; ``open_door(url)`` there, an asynchronous context manager, opens
client and door in one). Nothing else in ``sdk`` knows which of them it has before it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, Unpack, cast

import msgspec

from actorq.core.commands import Ack, Extend, Fail, Release, Report
from actorq.face import EnqueueOptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from actorq.core.job import Job, NewJob
    from actorq.core.results import Claimed, Enqueued, PrunedReplay
    from actorq.core.schedule import NewSchedule
    from actorq.errors import ActorqError

LONGEST_WAIT_S: Final = 20.0
"""The longest that one call may wait for something to happen; who wants to wait longer asks again."""

MOST_ITEMS: Final = 500
"""How many items one call may have; who has more makes several calls. But a workflow is always one."""

Settling: TypeAlias = Ack | Fail | Release
"""What a holder says of a job that it will not work on any more. Here the token is never None."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A job to be made. It has no id yet: whoever writes it mints one.

    ``after`` are the places, in the same call, of earlier drafts whose jobs it depends on too.
    """

    queue_name: str
    payload: str
    options: EnqueueOptions = {}
    after: tuple[int, ...] = ()


class Maker(Protocol):
    """How a queue makes a checked job; what it depends on may be a job that it made before."""

    def __call__(self, queue_name: str, payload: str, **options: Unpack[EnqueueOptions]) -> NewJob:
        """Make it; raises ``InvalidInput``."""
        ...


def make_all(drafts: Sequence[Draft], make: Maker) -> list[NewJob]:
    """Make the jobs of drafts, in order; raises ``InvalidInput``."""
    made: list[NewJob] = []
    for draft in drafts:
        options = draft.options
        if draft.after:
            parents = (*options.get("depends_on", ()), *(made[place] for place in draft.after))
            options = cast("EnqueueOptions", {**options, "depends_on": parents})
        made.append(make(draft.queue_name, draft.payload, **options))
    return made


class Held(StrEnum):
    """What a renewal found."""

    OK = "ok"
    LOST = "lost"
    """The lease is over, or another's: stop the work, and say nothing more of it."""
    CANCEL = "cancel"
    """The lease was renewed, and somebody asks for the work to be stopped."""


class Renewal(msgspec.Struct, frozen=True):
    """One lease after its renewal, good for ``visibility_timeout`` seconds.

    They count from the moment at which the renewal was *sent*, on the holder's monotonic clock.
    """

    status: Held
    visibility_timeout: float = 0.0


class Renewals(msgspec.Struct, frozen=True):
    """All leases of a call, in its order; ``drain`` when the queue's server is going away."""

    leases: Sequence[Renewal]
    drain: bool = False


class Renewer(Protocol):
    """Renews leases from a thread of its own, by blocking calls, whatever the event loop is doing.

    It belongs to the one thread that uses it, and shares no connection with the door that made it.
    """

    def renew(self, worker_id: str, leases: Sequence[Extend], /) -> Renewals:
        """Renew leases in one call, within a third of the shortest of them; raises as a door does."""
        ...


class Door(Protocol):
    """A queue as tasks and workers see it; used from the event loop that it was opened on.

    Calls raise ``BackendUnavailable`` (unreachable, or no answer: the outcome is unknown),
    ``Overloaded`` and ``ShuttingDown``; each may be made again as it is. A door repeats by itself only
    what cannot take effect twice, and gives up within some seconds: its caller knows better how long to
    go on. Being cancelled while waiting is safe: jobs that were on their way go back.
    """

    async def enqueue_many(
        self, drafts: Sequence[Draft], /
    ) -> list[Enqueued | PrunedReplay | ActorqError]:
        """Make jobs in one step; one result each, in order, a refusal being an error value.

        However often the door sends them, each is made once. Raises ``InvalidInput``, also for more jobs
        that depend on each other than one step takes.
        """
        ...

    async def dequeue(
        self,
        queue_name: str,
        *,
        worker_id: str,
        slots: int,
        visibility_timeout: float | None,
        wait: float,
    ) -> Claimed:
        """Take up to ``slots`` jobs, each with its lease, as soon as there is one.

        Nothing comes after ``wait`` seconds (at most ``LONGEST_WAIT_S``), or earlier from a server that is
        going away. ``visibility_timeout`` is seconds, None for the queue's own.
        """
        ...

    async def settle(self, items: Sequence[Settling], /) -> list[ActorqError | None]:
        """Settle jobs in one call; for each None when it stands (a repeat also), or why not.

        ``LeaseLost``, ``NotLeased`` and ``NotFound`` are final; a retryable error may be tried again.
        """
        ...

    async def renew(self, worker_id: str, leases: Sequence[Extend], /) -> Renewals:
        """Renew leases in one call; a lease that is gone is told by its ``Held.LOST``."""
        ...

    def renewer(self) -> AbstractContextManager[Renewer]:
        """Make what renews from another thread; entered, used and left in that thread.

        The door itself may be closed only after it was left.
        """
        ...

    async def report(self, item: Report, /) -> Job:
        """Record progress, JSON text; raises ``LeaseLost``, ``NotLeased`` and ``NotFound``."""
        ...

    async def get_job(self, job_id: str, /) -> Job:
        """Return a job; raises ``NotFound``."""
        ...

    async def get_jobs(self, job_ids: Sequence[str], /) -> list[Job | None]:
        """Return jobs in the order asked; None where there is none."""
        ...

    async def wait_for_change(self, job_id: str, version: int, wait: float, /) -> Job | None:
        """Wait up to ``wait`` seconds until the job is no longer at ``version``, and return it.

        None when nothing has changed yet (which may be told early); raises ``NotFound``.
        """
        ...

    async def cancel(self, job_id: str, /) -> Job:
        """Cancel a waiting job, or ask the holder of a running one to stop; raises ``NotFound``."""
        ...

    async def declare_schedules(self, news: Sequence[NewSchedule], /) -> None:
        """Say what a program's code holds of its schedules: each is taken over when the code has changed.

        Raises ``InvalidInput`` for what no server takes.
        """
        ...
