"""What each event does to a job's record: old record in, new record out.

Every store calls these inside its own atomic step and writes what comes out. They take the
transition from the table, raise ``version`` by one, and never read a clock: ``now`` is the store's.
"""

from msgspec.structs import replace

from actorq.core import lease as leases
from actorq.core import retry
from actorq.core.bounds import cut_error
from actorq.core.commands import Edit
from actorq.core.instants import to_us
from actorq.core.job import (
    MAX_ERRORS,
    DeadReason,
    Delivery,
    ErrorKind,
    Job,
    JobError,
    NewJob,
    Settlement,
)
from actorq.core.policy import Policy
from actorq.core.transitions import Event, Status, move


def promote(job: Job, now: int) -> Job:
    """Make a delayed job whose due time has come ready to be claimed."""
    status = move(job.id, job.status, Event.PROMOTE)
    return replace(job, status=status, updated_at=now, version=job.version + 1)


def lapse(job: Job, now: int) -> Job:
    """End a waiting job whose ``expires_at`` passed before anybody started it."""
    entry = JobError(job.attempt, "", now, ErrorKind.EXPIRED, "not started before expires_at")
    return _dead(job, Event.LAPSE, DeadReason.EXPIRED, (entry,), now)


def claim(job: Job, token: str, worker_id: str, visibility_timeout: float, now: int) -> Job:
    """Give a pending job to a worker: attempt and lease in one step."""
    return replace(
        job,
        status=move(job.id, job.status, Event.CLAIM),
        attempt=job.attempt + 1,
        lease=leases.grant(token, worker_id, visibility_timeout, now),
        updated_at=now,
        version=job.version + 1,
    )


def ack(job: Job, result: str | None, now: int) -> Job:
    """Record that the holder did the job; ``result`` is JSON text."""
    return replace(
        job,
        status=move(job.id, job.status, Event.ACK),
        result=result,
        completed_at=now,
        updated_at=now,
        version=job.version + 1,
        lease=None,
        settled_token=None if job.lease is None else job.lease.token,
        settled_by=Settlement.ACK,
    )


def fail(job: Job, failure: retry.Failure, now: int) -> Job:
    """Record the holder's failure and what follows from it."""
    entry = _entry(job, ErrorKind.FAILURE, failure.reason, now)
    return _conclude(job, retry.on_failure(job, failure), (entry,), Settlement.FAIL, now)


def release(job: Job, delay: float, policy: Policy, now: int) -> Job:
    """Take the job back from its holder, who did not do it and did not fail; ``delay`` is seconds."""
    decision = retry.on_release(job, delay, policy)
    errors: tuple[JobError, ...] = ()
    if isinstance(decision, retry.Retry | retry.Bury):
        errors = (_entry(job, ErrorKind.INTERRUPTED, "handed back too often", now),)
    handed_back = replace(job, interruptions=job.interruptions + 1)
    return _conclude(handed_back, decision, errors, Settlement.RELEASE, now)


def expire(job: Job, policy: Policy, now: int) -> Job:
    """Take the job from a holder who fell silent beyond the visibility timeout."""
    entry = _entry(job, ErrorKind.LEASE_EXPIRED, "the lease expired", now)
    decision = retry.on_expiry(job, policy)
    lost = replace(job, expiries=job.expiries + 1)
    return _conclude(lost, decision, (entry,), None, now)


def extend(job: Job, visibility_timeout: float | None, policy: Policy, now: int) -> Job:
    """Renew the lease; the token stays."""
    status = move(job.id, job.status, Event.EXTEND)
    assert job.lease is not None
    lease = leases.extended(job.lease, visibility_timeout, now, policy)
    return replace(job, status=status, lease=lease, updated_at=now, version=job.version + 1)


def report(job: Job, progress: str, now: int) -> Job:
    """Record the holder's progress, which is JSON text."""
    status = move(job.id, job.status, Event.EXTEND)
    return replace(job, status=status, progress=progress, updated_at=now, version=job.version + 1)


def cancel(job: Job, now: int) -> Job:
    """Cancel a waiting job; ask the holder of a running one. Asking twice changes nothing."""
    if job.status is Status.RUNNING:
        if job.cancel_requested:
            return job
        status = move(job.id, job.status, Event.REQUEST_CANCEL)
        asked = replace(job, status=status, cancel_requested=True)
        return replace(asked, updated_at=now, version=job.version + 1)
    status = move(job.id, job.status, Event.CANCEL)
    ended = replace(job, status=status, cancel_requested=True, completed_at=now)
    return replace(ended, updated_at=now, version=job.version + 1)


def redrive(job: Job, now: int) -> Job:
    """Give a dead job another life, with fresh budgets; ``attempt`` goes on rising.

    An ``expires_at`` that has passed is taken away: the job would die of it again at once. Whom it waited
    for when it died does not matter any more.
    """
    workflow = job.workflow
    if workflow is not None and workflow.waiting_for:
        workflow = replace(workflow, waiting_for=(), not_before=None)
    keeps = job.expires_at is not None and job.expires_at > now
    return replace(
        job,
        status=move(job.id, job.status, Event.REDRIVE),
        retry_count=0,
        expiries=0,
        interruptions=0,
        available_at=now,
        expires_at=job.expires_at if keeps else None,
        dead_reason=None,
        completed_at=None,
        cancel_requested=False,
        workflow=workflow,
        updated_at=now,
        version=job.version + 1,
    )


def edit(job: Job, change: Edit, now: int) -> Job:
    """Change a waiting job; its new due time decides whether it waits as pending or delayed."""
    due, workflow = job.available_at, job.workflow
    if change.available_at is not None:
        due = change.available_at
    elif change.delay is not None:
        due = now + to_us(change.delay)
    if workflow is not None and job.waits_for_others and due != job.available_at:
        # It goes on waiting for others, and will be due then at the earliest.
        due, workflow = job.available_at, replace(workflow, not_before=due)
    if job.status is Status.DELAYED:
        event = Event.EDIT if due > now else Event.PROMOTE
    else:
        event = Event.RESCHEDULE if due > now else Event.EDIT
    return replace(
        job,
        status=move(job.id, job.status, event),
        payload=job.payload if change.payload is None else change.payload,
        priority=job.priority if change.priority is None else change.priority,
        max_retries=job.max_retries if change.max_retries is None else change.max_retries,
        metadata=job.metadata if change.metadata is None else change.metadata,
        available_at=due,
        workflow=workflow,
        updated_at=now,
        version=job.version + 1,
    )


def replace_waiting(holder: Job, new: NewJob, now: int) -> Job:
    """Let a waiting holder of a dedupe key take over payload, priority and due time of ``new``."""
    at_once = new.available_at is None and new.delay is None
    change = Edit(
        id=holder.id,
        payload=new.payload,
        priority=new.priority,
        available_at=new.available_at,
        delay=0.0 if at_once else new.delay,
    )
    return edit(holder, change, now)


def may_redrive(job: Job) -> bool:
    """Tell whether a redrive would keep the promise of at-most-once: never claimed before."""
    return job.delivery is Delivery.AT_LEAST_ONCE or job.attempt == 0


def _conclude(
    job: Job,
    decision: retry.Retry | retry.Again | retry.Bury | retry.Abort,
    errors: tuple[JobError, ...],
    settlement: Settlement | None,
    now: int,
) -> Job:
    """End the lease of a running job in the way that was decided."""
    settled = replace(job, **_settled(job, settlement))
    match decision:
        case retry.Retry(delay):
            back = replace(settled, retry_count=job.retry_count + 1)
            return _requeued(back, Event.RETRY, errors, now + to_us(delay), now)
        case retry.Again(delay) if delay > 0.0:
            return _requeued(settled, Event.POSTPONE, errors, now + to_us(delay), now)
        case retry.Again():
            event = Event.EXPIRE if settlement is None else Event.RELEASE
            return _requeued(settled, event, errors, job.available_at, now)
        case retry.Bury(reason):
            return _dead(settled, Event.BURY, reason, errors, now)
        case retry.Abort():
            status = move(job.id, job.status, Event.ABORT)
            ended = replace(settled, status=status, errors=_remember(job, errors))
            return replace(ended, completed_at=now, updated_at=now, version=job.version + 1)


def _requeued(
    job: Job, event: Event, errors: tuple[JobError, ...], available_at: int, now: int
) -> Job:
    return replace(
        job,
        status=move(job.id, job.status, event),
        available_at=available_at,
        errors=_remember(job, errors),
        updated_at=now,
        version=job.version + 1,
    )


def _dead(
    job: Job, event: Event, reason: DeadReason, errors: tuple[JobError, ...], now: int
) -> Job:
    return replace(
        job,
        status=move(job.id, job.status, event),
        dead_reason=reason,
        errors=_remember(job, errors),
        completed_at=now,
        updated_at=now,
        version=job.version + 1,
    )


def _settled(job: Job, settlement: Settlement | None) -> dict[str, object]:
    """Return the fields that end a lease; an expiry is nobody's word and leaves the last one."""
    if settlement is None:
        return {"lease": None}
    token = job.lease.token if job.lease is not None else None
    return {"lease": None, "settled_token": token, "settled_by": settlement}


def _entry(job: Job, kind: ErrorKind, message: str, now: int) -> JobError:
    worker = job.lease.worker_id if job.lease is not None else ""
    return JobError(job.attempt, worker, now, kind, cut_error(message))


def _remember(job: Job, errors: tuple[JobError, ...]) -> tuple[JobError, ...]:
    return (*job.errors, *errors)[-MAX_ERRORS:]
