"""Dependence by itself: what parents mean for a child, in whatever order they end (contract §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from actorq.core import dependence, lifecycle
from actorq.core.instants import LATEST_US, to_us
from actorq.core.job import DependentJob, Job, create
from actorq.core.results import Enqueued, PrunedReplay
from actorq.core.transitions import ENDED, LIVE, Status
from actorq.core.workflow import MAX_DEPENDENTS, NO_WORKFLOW, OnParentFailure
from tests.core.records import NOW, jobs, new

if TYPE_CHECKING:
    from collections.abc import Sequence

policies = st.sampled_from(OnParentFailure)
families = st.lists(jobs(), min_size=1, max_size=5).map(
    lambda found: [replace(job, id=_id(place)) for place, job in enumerate(found)]
)


def _id(place: int) -> str:
    return f"018f0000-0000-7000-8000-{place:012d}"


def child_of(
    parents: Sequence[Job],
    policy: OnParentFailure = OnParentFailure.CANCEL,
    *,
    delay: float | None = None,
    expires_at: int | None = None,
) -> DependentJob:
    """Make the request for a job that depends on ``parents``."""
    plain = new(_id(99), delay=delay, expires_at=expires_at)
    named = {name: getattr(plain, name) for name in plain.__struct_fields__}
    return DependentJob(
        **named, depends_on=tuple(job.id for job in parents), on_parent_failure=policy
    )


def end(parent: Job) -> Status:
    """Return how a parent ends that has not, by the last digit of its id; or how it has ended."""
    return parent.status if parent.status in ENDED else sorted(ENDED)[int(parent.id[-1]) % 3]


@given(families, policies, st.permutations(range(5)), st.floats(0.0, 100.0))
def test_the_order_of_the_ends_does_not_matter(
    parents: list[Job], policy: OnParentFailure, order: list[int], delay: float
) -> None:
    """A child goes when the last parent has ended, and by what all of them came to (§2)."""
    child = dependence.create_child(child_of(parents, policy, delay=delay), parents, NOW)
    for place in order:
        if place < len(parents) and parents[place].status in LIVE:
            told = dependence.parent_ended(child, parents[place].id, end(parents[place]), NOW)
            child = child if told is None else told
    succeeded = all(end(parent) is Status.COMPLETED for parent in parents)
    if policy is OnParentFailure.CANCEL and not succeeded:
        assert child.status is Status.CANCELLED
        return
    plain = create(new(_id(99), delay=delay), NOW)
    assert (child.status, child.available_at) == (plain.status, plain.available_at)
    assert child.workflow is not None
    assert child.workflow.waiting_for == ()


@given(families, policies)
def test_it_waits_for_those_who_live(parents: list[Job], policy: OnParentFailure) -> None:
    """While a parent lives the child is delayed to the end of time, unless another's end decided (§2)."""
    child = dependence.create_child(child_of(parents, policy), parents, NOW)
    living = {job.id for job in parents if job.status in LIVE}
    assert child.version == 1
    assert child.workflow is not None
    if child.status is Status.CANCELLED:
        assert policy is OnParentFailure.CANCEL
        assert any(job.status in {Status.DEAD, Status.CANCELLED} for job in parents)
    elif living:
        assert child.waits_for_others
        assert (child.status, child.available_at) == (Status.DELAYED, LATEST_US)
        assert set(child.workflow.waiting_for) == living
    else:
        assert child.status is Status.PENDING


@given(jobs(LIVE), st.sampled_from([*ENDED, None]), policies)
def test_to_be_told_twice_is_to_be_told_once(
    parent: Job, status: Status | None, policy: OnParentFailure
) -> None:
    """What a child was told of one parent it does not hear again (rule 1)."""
    child = dependence.create_child(child_of([parent], policy), [parent], NOW)
    told = dependence.parent_ended(child, parent.id, status, NOW)
    assert told is not None
    assert told.version == child.version + 1
    assert dependence.parent_ended(told, parent.id, status, NOW) is None
    assert dependence.parent_ended(told, _id(7), status, NOW) is None


@given(jobs(LIVE))
def test_a_parent_notes_each_child_once(parent: Job) -> None:
    """The children of a live parent are a set; one that has ended notes nobody (§2)."""
    noted = dependence.with_dependent(parent, _id(1), NOW)
    assert noted is not None
    assert dependence.dependents(noted) == (_id(1),)
    assert dependence.with_dependent(noted, _id(1), NOW) is None
    ended = replace(noted, status=Status.COMPLETED)
    assert dependence.with_dependent(ended, _id(2), NOW) is None
    assert dependence.to_tell(parent.status, noted) == ()
    assert dependence.to_tell(parent.status, ended) == (_id(1),)
    assert dependence.to_tell(Status.COMPLETED, ended) == ()
    assert dependence.to_tell(parent.status, replace(ended, workflow=None)) == ()


@given(jobs(LIVE), jobs(ENDED))
def test_who_cannot_be_depended_on(live: Job, ended: Job) -> None:
    """An unknown parent is refused, and a live one that has no room for another child (§1, I18)."""
    crowd = tuple(_id(number) for number in range(MAX_DEPENDENTS))
    full = replace(NO_WORKFLOW, dependents=crowd)
    wish = child_of([live, ended])
    assert dependence.refusal(wish, [live, ended]) is None
    assert dependence.refusal(wish, [live, replace(ended, workflow=full)]) is None
    refused = dependence.refusal(wish, [replace(live, workflow=full), ended])
    assert refused is not None
    assert refused.pointer == "/depends_on/0"
    lost = dependence.refusal(wish, [live, None])
    assert lost is not None
    assert lost.pointer == "/depends_on/1"


@given(jobs(LIVE))
def test_a_lost_parent_has_failed(parent: Job) -> None:
    """A parent of which nothing is left counts as one that did not succeed (§2)."""
    careful = dependence.create_child(child_of([parent]), [None], NOW)
    careless = dependence.create_child(child_of([parent], OnParentFailure.RUN), [None], NOW)
    assert (careful.status, careless.status) == (Status.CANCELLED, Status.PENDING)


@given(jobs(LIVE))
def test_what_lapsed_while_it_waited_waits_no_more(parent: Job) -> None:
    """A redrive starts a job whatever it waited for when it died (§2)."""
    child = dependence.create_child(child_of([parent], expires_at=NOW), [parent], NOW)
    again = lifecycle.redrive(lifecycle.lapse(child, NOW), NOW + to_us(1.0))
    assert (again.status, again.waits_for_others) == (Status.PENDING, False)
    assert again.workflow is not None
    assert again.workflow.waiting_for == ()


def test_another_may_stand_for_a_parent() -> None:
    """Children of a request that met a dedupe key depend on the job that holds it, once (§6)."""
    holder = create(new(_id(5)), NOW)
    stand_ins: dict[str, str] = {}
    dependence.note_stand_in(stand_ins, new(_id(1)), Enqueued(holder))
    dependence.note_stand_in(stand_ins, new(_id(2)), PrunedReplay(_id(6), "q", NOW))
    dependence.note_stand_in(stand_ins, new(_id(5)), Enqueued(holder))
    wish = replace(child_of([]), depends_on=(_id(1), _id(5), _id(2), _id(3)))
    renamed = dependence.renamed(wish, stand_ins)
    assert isinstance(renamed, DependentJob)
    assert renamed.depends_on == (_id(5), _id(6), _id(3))
    plain = new(_id(4))
    assert dependence.renamed(plain, stand_ins) is plain
