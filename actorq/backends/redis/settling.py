"""What holders and operators ask of jobs: decided by ``core``, one draft a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from actorq.backends.redis.drafts import Draft, commit, decide
from actorq.backends.redis.keys import dedupe_field
from actorq.core import lifecycle
from actorq.core.commands import Ack, Edit, Extend, Fail, Release, Report
from actorq.core.job import Job, Settlement
from actorq.core.lease import Standing, standing
from actorq.core.results import Settled
from actorq.core.transitions import ENDED, Status
from actorq.errors import (
    ActorqError,
    AlreadyStarted,
    DuplicateJob,
    IllegalTransition,
    LeaseLost,
    NotFound,
    NotLeased,
    StaleVersion,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.backends.redis.access import Access
    from actorq.backends.redis.writes import Writes
    from actorq.core.policy import Policy

Settling: TypeAlias = Ack | Fail | Release
Renewing: TypeAlias = Extend | Report

_SETTLEMENTS: Final[dict[type[Settling], Settlement]] = {
    Ack: Settlement.ACK,
    Fail: Settlement.FAIL,
    Release: Settlement.RELEASE,
}


def settle(access: Access, items: Sequence[Settling]) -> list[Settled | ActorqError]:
    """Settle leases."""

    def decision(draft: Draft, item: Settling) -> Settled | ActorqError:
        job = draft.get(item.id)
        if job is None:
            return NotFound(item.id)
        worth = standing(job, item.token, _SETTLEMENTS[type(item)])
        if worth is Standing.REPEAT:
            return Settled(job, repeated=True)
        if worth is not Standing.HOLDER:
            return _refusal(job, worth)
        return Settled(draft.conclude(_settled(job, item, access.policy, draft.now)))

    return decide(access, items, lambda item: item.id, decision)


def renew(access: Access, items: Sequence[Renewing]) -> list[Job | ActorqError]:
    """Renew leases, or record progress."""

    def decision(draft: Draft, item: Renewing) -> Job | ActorqError:
        job = draft.get(item.id)
        if job is None:
            return NotFound(item.id)
        worth = standing(job, item.token, None)
        if worth is not Standing.HOLDER:
            return _refusal(job, worth)
        if isinstance(item, Extend):
            seconds = item.visibility_timeout
            return draft.write(lifecycle.extend(job, seconds, access.policy, draft.now))
        return draft.write(lifecycle.report(job, item.progress, draft.now))

    answers = decide(access, items, lambda item: item.id, decision)
    for item in items:
        # What is kept of it is out of date now; it is read again before it is acknowledged.
        access.recent.forget(item.id)
    return answers


def _refusal(job: Job, worth: Standing) -> ActorqError:
    return NotLeased(job.id, job.status) if worth is Standing.NOT_LEASED else LeaseLost(job.id)


def _settled(job: Job, item: Settling, policy: Policy, now: int) -> Job:
    match item:
        case Ack():
            return lifecycle.ack(job, item.result, now)
        case Fail():
            return lifecycle.fail(job, item.failure, now)
        case Release():
            return lifecycle.release(job, item.delay, policy, now)


def cancel(access: Access, ids: Sequence[str]) -> list[Job | ActorqError]:
    """Cancel waiting jobs, ask the holders of running ones."""

    def decision(draft: Draft, job_id: str) -> Job | ActorqError:
        job = draft.get(job_id)
        if job is None:
            return NotFound(job_id)
        if job.status is Status.CANCELLED:
            return job
        try:
            return draft.conclude(lifecycle.cancel(job, draft.now))
        except IllegalTransition as error:
            return error

    return decide(access, ids, str, decision)


def update(access: Access, edits: Sequence[Edit]) -> list[Job | ActorqError]:
    """Change waiting jobs."""

    def decision(draft: Draft, edit: Edit) -> Job | ActorqError:
        job = draft.get(edit.id)
        if job is None:
            return NotFound(edit.id)
        if edit.version is not None and edit.version != job.version:
            return StaleVersion(job.id, job.version)
        try:
            return draft.write(lifecycle.edit(job, edit, draft.now))
        except IllegalTransition as error:
            return error

    return decide(access, edits, lambda edit: edit.id, decision)


def delete(access: Access, ids: Sequence[str]) -> list[Job | ActorqError]:
    """Remove ended jobs."""

    def decision(draft: Draft, job_id: str) -> Job | ActorqError:
        job = draft.get(job_id)
        if job is None:
            return NotFound(job_id)
        if job.status not in ENDED:
            return IllegalTransition(job_id, job.status, "delete")
        return draft.remove(job)

    return decide(access, ids, str, decision)


def redrive(access: Access, ids: Sequence[str]) -> list[Job | ActorqError]:
    """Give dead jobs another life, taking their dedupe keys back."""

    def attempt() -> tuple[list[Job | ActorqError], Writes | None]:
        now, records = access.read(ids)
        fields = {
            dedupe_field(record.job.queue_name, record.job.dedupe_key)
            for record in records.values()
            if record.job.dedupe_key is not None
        }
        holders = access.holders(sorted(fields))
        draft = Draft(access.keys, now, records)
        answers = [_redrive(draft, holders, job_id) for job_id in ids]
        return answers, draft.finish()

    return commit(access, attempt) if ids else []


def _redrive(draft: Draft, holders: dict[bytes, str], job_id: str) -> Job | ActorqError:
    job = draft.get(job_id)
    if job is None:
        return NotFound(job_id)
    if job.status is not Status.DEAD:
        return IllegalTransition(job_id, job.status, "redrive")
    if not lifecycle.may_redrive(job):
        return AlreadyStarted(job_id)
    if job.dedupe_key is not None:
        field = dedupe_field(job.queue_name, job.dedupe_key)
        if field in holders:
            return DuplicateJob(holders[field], job.dedupe_key)
        draft.writes.expect_free(field)
        holders[field] = job_id
    return draft.write(lifecycle.redrive(job, draft.now))
