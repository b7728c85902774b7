"""Dependence: how jobs wait for the ends of others, decided purely (contract §2).

A *parent* is a job that another one, its *child*, depends on. The child's record holds the set of parents
whose ends it waits for, the parent's record the children to be told. A store writes both with the step that
changes them; to be told twice changes nothing.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from actorq.core import lifecycle
from actorq.core.instants import LATEST_US
from actorq.core.job import DependentJob, Job, NewJob, create
from actorq.core.results import Enqueued, PrunedReplay
from actorq.core.transitions import ENDED, LIVE, Event, Status, move
from actorq.core.workflow import MAX_DEPENDENTS, NO_WORKFLOW, OnParentFailure, Workflow
from actorq.errors import InvalidInput


def renamed(new: NewJob, stand_ins: Mapping[str, str]) -> NewJob:
    """Let a job depend on what stands for its parents, where a request before it met a dedupe key."""
    if type(new) is not DependentJob or not stand_ins:
        return new
    known = dict.fromkeys(stand_ins.get(parent_id, parent_id) for parent_id in new.depends_on)
    return replace(new, depends_on=tuple(known))


def note_stand_in(stand_ins: dict[str, str], new: NewJob, answer: object) -> None:
    """Remember the job that stands for a request of the same batch, if it is not the one it asked for."""
    match answer:
        case Enqueued(job) if job.id != new.id:
            stand_ins[new.id] = job.id
        case PrunedReplay(job_id) if job_id != new.id:
            stand_ins[new.id] = job_id
        case _:
            pass


def refusal(new: DependentJob, parents: Sequence[Job | None]) -> InvalidInput | None:
    """Say why a job cannot depend on ``parents``, the records of ``new.depends_on``; None if it can."""
    for place, (parent_id, parent) in enumerate(zip(new.depends_on, parents, strict=True)):
        if parent is None:
            why = f"no job has the id {parent_id}"
        elif parent.status in LIVE and len(dependents(parent)) >= MAX_DEPENDENTS:
            why = f"{MAX_DEPENDENTS} jobs depend on job {parent_id} already"
        else:
            continue
        return InvalidInput(f"/depends_on/{place}", why)
    return None


def create_child(new: DependentJob, parents: Sequence[Job | None], now: int) -> Job:
    """Make the record of a job: it waits for those of ``parents`` that live; a lost one has failed."""
    job = create(new, now)
    if job.workflow is None:
        return job
    waiting_for = tuple(
        parent_id
        for parent_id, parent in zip(new.depends_on, parents, strict=True)
        if parent is None or parent.status is not Status.COMPLETED
    )
    child = _waiting(job, job.workflow, waiting_for, now) if waiting_for else job
    for parent_id, parent in zip(new.depends_on, parents, strict=True):
        if parent is None or parent.status in ENDED:
            told = parent_ended(child, parent_id, None if parent is None else parent.status, now)
            child = child if told is None else told
    # However much of it there was to tell, it is one write.
    return child if child.version == 1 else replace(child, version=1)


def with_dependent(parent: Job, child_id: str, now: int) -> Job | None:
    """Note in a live parent's record that a child waits for it; None if there is nothing to note."""
    workflow = parent.workflow or NO_WORKFLOW
    if parent.status not in LIVE or child_id in workflow.dependents:
        return None
    noted = replace(workflow, dependents=(*workflow.dependents, child_id))
    return replace(parent, workflow=noted, updated_at=now, version=parent.version + 1)


def dependents(job: Job) -> tuple[str, ...]:
    """Return the ids of the jobs that depend on this one."""
    return () if job.workflow is None else job.workflow.dependents


def to_tell(before: Status | None, after: Job) -> tuple[str, ...]:
    """Return the children that must hear of a write: those of a job that has just ended."""
    if after.workflow is None or after.status not in ENDED or before in ENDED:
        return ()
    return after.workflow.dependents


def parent_ended(child: Job, parent_id: str, status: Status | None, now: int) -> Job | None:
    """Tell a child that a parent ended as ``status``; None: it was lost, or removed while it waited.

    Returns None when the child does not wait for it: it was told before, or has ended itself.
    """
    workflow = child.workflow
    if workflow is None or child.status is not Status.DELAYED:
        return None
    if parent_id not in workflow.waiting_for:
        return None
    if status is not Status.COMPLETED and workflow.on_parent_failure is OnParentFailure.CANCEL:
        return lifecycle.cancel(child, now)
    left = tuple(each for each in workflow.waiting_for if each != parent_id)
    if left:
        told = replace(child, status=move(child.id, child.status, Event.EDIT))
        return replace(
            told,
            workflow=replace(workflow, waiting_for=left),
            updated_at=now,
            version=child.version + 1,
        )
    return _released(child, workflow, now)


def _waiting(job: Job, workflow: Workflow, waiting_for: tuple[str, ...], now: int) -> Job:
    not_before = job.available_at if job.available_at > now else None
    return replace(
        job,
        status=Status.DELAYED,
        available_at=LATEST_US,
        workflow=replace(workflow, waiting_for=waiting_for, not_before=not_before),
    )


def _released(child: Job, workflow: Workflow, now: int) -> Job:
    """Let a child go on that has nobody to wait for any more: it is due now, or when it asked to be."""
    is_early = workflow.not_before is not None and workflow.not_before > now
    due = now if workflow.not_before is None or not is_early else workflow.not_before
    return replace(
        child,
        status=move(child.id, child.status, Event.EDIT if is_early else Event.PROMOTE),
        available_at=due,
        workflow=replace(workflow, waiting_for=(), not_before=None),
        updated_at=now,
        version=child.version + 1,
    )
