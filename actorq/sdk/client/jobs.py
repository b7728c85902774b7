"""The calls on jobs: making, reading, changing and ending them."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Unpack

from actorq.core import bounds, calls, intake
from actorq.core.commands import Edit, ListJobs
from actorq.core.job import NewJob
from actorq.core.results import Enqueued, Page, PrunedReplay
from actorq.errors import ActorqError, IllegalTransition, NotFound
from actorq.sdk.client import batches, reading, writing
from actorq.sdk.client.base import JSON, POLICY, BaseCalls, path_of, queue_path
from actorq.sdk.client.exchange import Repeat, Request, Subject
from actorq.sdk.door import LONGEST_WAIT_S, make_all
from actorq.sdk.step import Plan, first_refusal, to_cancel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.core.job import Job
    from actorq.face import EnqueueOptions
    from actorq.sdk.client.exchange import Conversation
    from actorq.sdk.step import Step

NOT_MODIFIED: Final = 304

ALL_JOBS: Final = ListJobs(limit=intake.MAX_LIST)
"""A listing of all that there is, in the largest pages."""

_HEADER = re.compile(r"[\x20-\x7e]*")
"""What a key may be, to stand in a header."""


class JobCalls(BaseCalls):
    """What can be done with jobs, by whoever has their id."""

    def enqueue(
        self, queue_name: str, payload: str, **options: Unpack[EnqueueOptions]
    ) -> Conversation[Job]:
        """Enqueue one job, durably, and return it; for a held dedupe key, the job that holds it.

        ``EnqueueOptions`` tells what may be said of it. Without an ``idempotency_key`` the request gets one,
        so that it is safe to repeat. Raises ``InvalidInput``, ``QueueFull``, ``DuplicateJob`` (policy
        ``reject``), ``IdempotencyKeyReused``, and ``NotFound`` for the replay of a job that was pruned since.
        """
        new = self.new_job(queue_name, payload, **options)
        key = writing.key_of(new)
        fits = _HEADER.fullmatch(key) is not None
        request = Request(
            method="POST",
            path="/jobs",
            body=writing.job_body(new, None if fits else key),
            headers=(*JSON, ("idempotency-key", _quoted(key))) if fits else JSON,
            expect=frozenset({200, 201}),
            about=Subject(queue_name=queue_name),
        )
        return _made(reading.enqueued((yield from self.ask(request)), request.about))

    def enqueue_call(self, call: Step[Any]) -> Conversation[Job]:
        """Enqueue a call of a task, ``client.enqueue_call(welcome.call("Ada"))``, and return its job.

        Of a chain, it makes all jobs in one step, and returns the last. Raises as ``enqueue`` does, for a
        chain the first refusal: then what was made of it is cancelled, but for what has an idempotency key.
        """
        plan = Plan()
        call.lay(plan, ())
        if len(plan.drafts) == 1:
            (draft,) = plan.drafts
            return (yield from self.enqueue(draft.queue_name, draft.payload, **draft.options))
        answers = yield from self.enqueue_many(make_all(plan.drafts, self.new_job))
        refused = first_refusal(answers)
        if refused is None:
            return _made(answers[-1])
        for job_id in reversed(to_cancel(plan.drafts, answers)):
            with suppress(IllegalTransition, NotFound):
                yield from self.cancel(job_id)
        raise refused

    def enqueue_many(
        self, jobs: Sequence[NewJob]
    ) -> Conversation[list[Enqueued | PrunedReplay | ActorqError]]:
        """Enqueue jobs, in as few requests as they fit into; one result each, in order.

        A refusal is an error value. ``new_job`` makes the jobs; after an error for all of them the same list
        may be sent again, and each job is made once. A job may depend on those before it in the list: then
        they travel in one request, and ``InvalidInput`` is raised for more than that may have.
        """
        checked = calls.new_jobs(jobs, POLICY)
        places = {new.id: place for place, new in enumerate(checked)}
        bodies = [writing.job_body(new, writing.key_of(new), places) for new in checked]
        results: list[Enqueued | PrunedReplay | ActorqError] = []
        is_whole = any(writing.depends_on_any(new, places) for new in checked)
        for part, body in self.batches("jobs", bodies, is_whole=is_whole):
            request = Request(method="POST", path="/jobs/batch", body=body, headers=JSON)
            about = [Subject(queue_name=new.queue_name) for new in checked[part]]
            results += batches.enqueued_items((yield from self.ask(request)), about)
        return results

    def get_job(self, job_id: str) -> Conversation[Job]:
        """Return a job; raises ``NotFound``. Its ``version`` is its entity tag."""
        request = Request(method="GET", path=path_of(job_id), about=Subject(job_id))
        return self.ask_for_job(request)

    def wait_for_change(self, job_id: str, version: int, wait: float) -> Conversation[Job | None]:
        """Wait up to ``wait`` seconds until the job is no longer at ``version``, and return it.

        None means that nothing changed in time. Raises ``NotFound``.
        """
        left = bounds.seconds(wait, "/wait", least=0.0, most=math.inf)
        while True:
            now = min(left, LONGEST_WAIT_S)
            request = Request(
                method="GET",
                path=path_of(job_id),
                query=(("wait", f"{now:.6f}"),),
                headers=(("if-none-match", f'"{version}"'),),
                wait=now,
                expect=frozenset({200, NOT_MODIFIED}),
                about=Subject(job_id),
            )
            answer = yield from self.ask(request)
            if answer.status != NOT_MODIFIED:
                return reading.job(answer, request.about)
            left = yield from self.rest(now, left, answer)
            if not left:
                return None

    def update_job(self, edit: Edit) -> Conversation[Job]:
        """Change a waiting job: ``NotFound``, ``StaleVersion``, ``IllegalTransition`` once running.

        Not repeated when the answer is lost: the job may have been changed by somebody else meanwhile.
        """
        edit = intake.edit(edit, POLICY)
        match = () if edit.version is None else (("if-match", f'"{edit.version}"'),)
        request = Request(
            method="PATCH",
            path=path_of(edit.id),
            body=writing.edit_body(edit),
            headers=(*JSON, *match),
            repeat=Repeat.IF_UNDONE,
            about=Subject(edit.id),
        )
        return self.ask_for_job(request)

    def cancel(self, job_id: str) -> Conversation[Job]:
        """Cancel a waiting job, or ask the holder of a running one to stop."""
        request = Request(method="POST", path=path_of(job_id, "cancel"), about=Subject(job_id))
        return self.ask_for_job(request)

    def redrive(self, job_id: str) -> Conversation[Job]:
        """Give a dead job another life: ``AlreadyStarted``, ``DuplicateJob``, ``IllegalTransition``.

        Not repeated when the answer is lost.
        """
        request = Request(
            method="POST",
            path=path_of(job_id, "redrive"),
            repeat=Repeat.IF_UNDONE,
            about=Subject(job_id),
        )
        return self.ask_for_job(request)

    def redrive_many(
        self, queue_name: str, job_ids: Sequence[str]
    ) -> Conversation[list[Job | ActorqError]]:
        """Redrive dead jobs of one queue; one result each, in order."""
        ids = [writing.encode(job_id) for job_id in calls.names(job_ids)]
        results: list[Job | ActorqError] = []
        for part, body in self.batches("ids", ids):
            request = Request(
                method="POST",
                path=queue_path(queue_name, "redrive"),
                body=body,
                headers=JSON,
                repeat=Repeat.IF_UNDONE,
            )
            about = [Subject(job_id, queue_name) for job_id in job_ids[part]]
            results += batches.job_items((yield from self.ask(request)), about)
        return results

    def delete(self, job_id: str) -> Conversation[Job]:
        """Remove an ended job, and return what it was. Not repeated when the answer is lost."""
        request = Request(
            method="DELETE",
            path=path_of(job_id),
            repeat=Repeat.IF_UNDONE,
            about=Subject(job_id),
        )
        return self.ask_for_job(request)

    def list_jobs(self, query: ListJobs) -> Conversation[Page]:
        """List jobs, newest first; ``Page.next_before`` goes into the next query's ``before``.

        It is a cursor of the server's here, and not the id of a job.
        """
        query = calls.query(query)
        request = Request(method="GET", path="/jobs", query=writing.query_of(query))
        return reading.page((yield from self.ask(request)))


def _made(result: Enqueued | PrunedReplay | ActorqError) -> Job:
    if isinstance(result, PrunedReplay):
        raise NotFound(result.id)
    if isinstance(result, ActorqError):
        raise result
    return result.job


def _quoted(key: str) -> str:
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
