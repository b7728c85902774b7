"""The verbs of a worker: taking jobs, keeping them, and settling them under their lease's token."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from actorq.actors import messages as m
from actorq.actors.mailbox import Reply
from actorq.core import bounds, calls, intake
from actorq.core.commands import Ack, Extend, Fail, Release, Report
from actorq.core.job import Job
from actorq.core.lease import hidden
from actorq.core.results import Claimed, Settled
from actorq.face.post import Extender, Post, only

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.core.intake import JsonValue
    from actorq.errors import ActorqError

MAX_SLOTS = 1_000
"""How many jobs one dequeue may ask for."""


class LeaseVerbs:
    """What a worker does. A job that came from ``dequeue`` carries its lease, and stands for it.

    Instead of the job, an id may be given, with or without the token: without one, the
    current lease is settled, whoever holds it.
    """

    def __init__(self, post: Post) -> None:
        """Send through ``post``."""
        self._post = post

    async def dequeue(
        self,
        queue_name: str,
        *,
        worker_id: str = "embedded",
        visibility_timeout: float | None = None,
        wait: float = 0.0,
    ) -> Job | None:
        """Take the best job of a queue under a lease, waiting for one up to ``wait`` seconds."""
        claimed = await self.dequeue_many(
            queue_name,
            1,
            worker_id=worker_id,
            visibility_timeout=visibility_timeout,
            wait=wait,
        )
        return claimed.jobs[0] if claimed.jobs else None

    async def dequeue_many(
        self,
        queue_name: str,
        slots: int,
        *,
        worker_id: str = "embedded",
        visibility_timeout: float | None = None,
        wait: float = 0.0,
    ) -> Claimed:
        """Take up to ``slots`` jobs, as soon as there is one; an empty answer tells of a pause."""
        bounds.integer(slots, "/max", least=1, most=MAX_SLOTS)
        wait = bounds.seconds(wait, "/wait", least=0.0, most=math.inf)
        if visibility_timeout is not None:
            visibility_timeout = bounds.visibility_timeout(visibility_timeout)
        reply: Reply[Claimed] = Reply()
        message = m.Dequeue(
            queue_name=bounds.queue_name(queue_name),
            worker_id=intake.worker_id(worker_id),
            slots=slots,
            visibility_timeout=visibility_timeout,
            wait=wait > 0.0,
            reply=reply,
        )
        try:
            if not message.wait:
                return await self._post.ask(message, reply)
            return await self._post.ask_for(message, reply, wait) or Claimed()
        except BaseException:
            self.give_back(reply.value)
            raise

    def give_back(self, claimed: Claimed | None) -> None:
        """Release jobs which nobody will work on, in the background, whatever becomes of the caller.

        Used when the answer came in the very moment that its caller was cancelled.
        """
        if claimed is not None and claimed.jobs:
            self._post.hand_back(calls.hand_backs([claimed]))

    async def ack(
        self, job: Job | str, token: str | None = None, *, result: JsonValue = None
    ) -> Job:
        """Complete a job: ``LeaseLost``, ``NotLeased``, ``NotFound``. A repeat succeeds again.

        ``result`` is any JSON value, as large as a payload may be; it is kept as JSON text.
        """
        job_id, token = _held(job, token)
        most = self._post.policy.max_payload_bytes
        text = None if result is None else intake.json_text(result, "/result", most)
        return only(await self.ack_many([Ack(job_id, token, text)])).job

    async def ack_many(self, items: Sequence[Ack]) -> list[Settled | ActorqError]:
        """Complete jobs; one result each, in order."""
        reply: Reply[list[Settled | ActorqError]] = Reply()
        checked = calls.acks(items, self._post.policy)
        return await self._post.ask(m.AckJobs(checked, reply), reply)

    async def fail(
        self,
        job: Job | str,
        token: str | None = None,
        *,
        reason: str = "",
        retryable: bool = True,
        retry_in: float | None = None,
    ) -> Job:
        """Report a failure; the job comes back ``delayed`` for its retry, or ``dead``.

        ``retry_in`` (seconds) stands in for its backoff; without ``retryable`` it is not tried again.
        """
        job_id, token = _held(job, token)
        failure = intake.failure(reason, retryable=retryable, retry_in=retry_in)
        return only(await self.fail_many([Fail(job_id, token, failure)])).job

    async def fail_many(self, items: Sequence[Fail]) -> list[Settled | ActorqError]:
        """Report failures; one result each, in order."""
        reply: Reply[list[Settled | ActorqError]] = Reply()
        return await self._post.ask(m.FailJobs(calls.fails(items), reply), reply)

    async def release(self, job: Job | str, token: str | None = None, *, delay: float = 0.0) -> Job:
        """Hand a job back without a failure, to be given out again after ``delay`` seconds."""
        job_id, token = _held(job, token)
        return only(await self.release_many([Release(job_id, token, delay)])).job

    async def release_many(self, items: Sequence[Release]) -> list[Settled | ActorqError]:
        """Hand jobs back; one result each, in order."""
        reply: Reply[list[Settled | ActorqError]] = Reply()
        return await self._post.ask(m.ReleaseJobs(calls.releases(items), reply), reply)

    async def extend(
        self,
        job: Job | str,
        token: str | None = None,
        *,
        visibility_timeout: float | None = None,
    ) -> Job:
        """Renew a lease from now on; the job tells ``cancel_requested`` and its new expiry.

        None as ``visibility_timeout``: for as many seconds as before.
        """
        job_id, token = _held(job, token)
        return only(await self.extend_many([Extend(job_id, token, visibility_timeout)]))

    async def extend_many(self, items: Sequence[Extend]) -> list[Job | ActorqError]:
        """Renew leases; one result each, in order."""
        reply: Reply[list[Job | ActorqError]] = Reply()
        answers = await self._post.ask(m.ExtendLeases(calls.extends(items), reply), reply)
        return _for_holders(items, answers)

    def extender(self) -> Extender:
        """Make what renews leases from a thread of yours, whatever this event loop is doing.

        It blocks, and belongs to one thread; close it before the queue ends. Each lease is to be renewed
        with its token; what comes back are the jobs, as from ``extend_many``.
        """
        return self._post.extender()

    async def report(self, job: Job | str, progress: JsonValue, token: str | None = None) -> Job:
        """Record progress, any JSON value of at most 64 KiB."""
        job_id, token = _held(job, token)
        text = intake.json_text(progress, "/progress", bounds.MAX_PROGRESS_BYTES)
        return only(await self.report_many([Report(job_id, token, text)]))

    async def report_many(self, items: Sequence[Report]) -> list[Job | ActorqError]:
        """Record progress, already as JSON text; one result each, in order."""
        reply: Reply[list[Job | ActorqError]] = Reply()
        answers = await self._post.ask(m.ReportProgress(calls.reports(items), reply), reply)
        return _for_holders(items, answers)


def _for_holders(
    items: Sequence[Extend | Report], answers: list[Job | ActorqError]
) -> list[Job | ActorqError]:
    """Show a token only to whoever has shown it."""
    pairs = zip(items, answers, strict=True)
    return [
        hidden(one) if isinstance(one, Job) and item.token is None else one for item, one in pairs
    ]


def _held(job: Job | str, token: str | None) -> tuple[str, str | None]:
    if isinstance(job, str):
        return job, token
    if token is None and job.lease is not None:
        token = job.lease.token
    return job.id, token
