"""The verbs on jobs: making, reading, changing and ending them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Unpack

from actorq.actors import messages as m
from actorq.actors.mailbox import Reply
from actorq.core import bounds, calls, intake
from actorq.core.commands import Edit, ListJobs
from actorq.core.lease import hidden
from actorq.core.results import Enqueued, Page, PrunedReplay
from actorq.errors import ActorqError, NotFound
from actorq.face.options import EnqueueOptions
from actorq.face.post import Post, only, seen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.core.job import Job, NewJob
    from actorq.core.policy import Policy


class JobVerbs:
    """What can be done with jobs, by whoever has their id."""

    def __init__(self, post: Post) -> None:
        """Send through ``post``."""
        self._post = post

    @property
    def policy(self) -> Policy:
        """The bounds and defaults that hold for every queue."""
        return self._post.policy

    def mint_id(self, queue_name: str = "") -> str:
        """Return a fresh job id, greater than all that were minted here before.

        Some stores find the jobs of ``queue_name`` faster by an id that was made for that queue.
        """
        return self._post.mint_id(queue_name)

    def new_job(self, queue_name: str, payload: str, **options: Unpack[EnqueueOptions]) -> NewJob:
        """Make a checked job for ``enqueue_many``; raises ``InvalidInput``."""
        post = self._post
        return intake.new_job(post.mint_id(queue_name), queue_name, payload, post.policy, **options)

    async def enqueue(
        self, queue_name: str, payload: str, **options: Unpack[EnqueueOptions]
    ) -> Job:
        """Enqueue one job, durably, and return it; for a held dedupe key, the job that holds it.

        ``EnqueueOptions`` tells what may be said of it: priority, delay, retries, keys and more.
        Raises ``InvalidInput``, ``QueueFull``, ``DuplicateJob`` (policy ``reject``),
        ``IdempotencyKeyReused``, and ``NotFound`` for the replay of a job that was pruned since.
        """
        new = self.new_job(queue_name, payload, **options)
        result = (await self.enqueue_many([new]))[0]
        if isinstance(result, ActorqError):
            raise result
        if isinstance(result, PrunedReplay):
            raise NotFound(result.id)
        return result.job

    async def enqueue_many(
        self, jobs: Sequence[NewJob]
    ) -> list[Enqueued | PrunedReplay | ActorqError]:
        """Enqueue jobs in one step; one result each, in order, a refusal being an error value.

        ``new_job`` makes them; one that was made by hand is checked here, and raises ``InvalidInput``. A job
        may depend on those before it; one that depends on a job which is not there is refused.
        """
        reply: Reply[list[Enqueued | PrunedReplay | ActorqError]] = Reply()
        message = m.EnqueueJobs(calls.new_jobs(jobs, self._post.policy), reply)
        return [_seen(one) for one in await self._post.ask(message, reply)]

    async def get_job(self, job_id: str) -> Job:
        """Return a job; raises ``NotFound``."""
        job = (await self.get_jobs([job_id]))[0]
        if job is None:
            raise NotFound(job_id)
        return job

    async def get_jobs(self, job_ids: Sequence[str]) -> list[Job | None]:
        """Return jobs in the order asked; None where there is none."""
        reply: Reply[list[Job | None]] = Reply()
        return seen(await self._post.ask(m.GetJobs(calls.names(job_ids), reply), reply))

    async def wait_for_change(self, job_id: str, version: int, wait: float) -> Job | None:
        """Wait up to ``wait`` seconds until the job is no longer at ``version``, and return it.

        None means that nothing changed in time, or before this server is going away. Raises ``NotFound``.
        """
        bounds.seconds(wait, "/wait", least=0.0, most=math.inf)
        if not wait:
            job = await self.get_job(job_id)
            return None if job.version == version else job
        (name,) = calls.names([job_id])
        reply: Reply[Job | None] = Reply()
        changed = await self._post.ask_for(m.Watch(name, version, reply), reply, wait)
        if changed is None:
            if reply.settled:
                raise NotFound(job_id)
            return None
        return None if changed.version == version else hidden(changed)

    async def update_job(self, edit: Edit) -> Job:
        """Change a waiting job: ``NotFound``, ``StaleVersion``, ``IllegalTransition`` once running."""
        return only(await self.update_jobs([edit]))

    async def update_jobs(self, edits: Sequence[Edit]) -> list[Job | ActorqError]:
        """Change waiting jobs; one result each, in order."""
        checked = tuple(intake.edit(edit, self._post.policy) for edit in edits)
        reply: Reply[list[Job | ActorqError]] = Reply()
        return await self._post.ask(m.UpdateJobs(checked, reply), reply)

    async def cancel(self, job_id: str) -> Job:
        """Cancel a waiting job, or ask the holder of a running one to stop."""
        return only(await self.cancel_many([job_id]))

    async def cancel_many(self, job_ids: Sequence[str]) -> list[Job | ActorqError]:
        """Cancel jobs; one result each, in order."""
        reply: Reply[list[Job | ActorqError]] = Reply()
        return seen(await self._post.ask(m.CancelJobs(calls.names(job_ids), reply), reply))

    async def redrive(self, job_id: str) -> Job:
        """Give a dead job another life: ``AlreadyStarted``, ``DuplicateJob``, ``IllegalTransition``."""
        return only(await self.redrive_many([job_id]))

    async def redrive_many(self, job_ids: Sequence[str]) -> list[Job | ActorqError]:
        """Redrive dead jobs; one result each, in order."""
        reply: Reply[list[Job | ActorqError]] = Reply()
        return await self._post.ask(m.RedriveJobs(calls.names(job_ids), reply), reply)

    async def delete(self, job_id: str) -> Job:
        """Remove an ended job, and return what it was."""
        return only(await self.delete_many([job_id]))

    async def delete_many(self, job_ids: Sequence[str]) -> list[Job | ActorqError]:
        """Remove ended jobs; one result each, in order."""
        reply: Reply[list[Job | ActorqError]] = Reply()
        return await self._post.ask(m.DeleteJobs(calls.names(job_ids), reply), reply)

    async def list_jobs(self, query: ListJobs) -> Page:
        """List jobs, newest first; ``Page.next_before`` goes into the next query's ``before``."""
        reply: Reply[Page] = Reply()
        page = await self._post.ask(m.FindJobs(calls.query(query), reply), reply)
        return Page(tuple(hidden(job) for job in page.jobs), page.next_before)


def _seen(result: Enqueued | PrunedReplay | ActorqError) -> Enqueued | PrunedReplay | ActorqError:
    """Hide the token of a running job that a request met."""
    if not isinstance(result, Enqueued) or result.job.lease is None:
        return result
    return Enqueued(hidden(result.job), result.outcome, result.replayed)
