"""How workflows stand on the wire: bodies become jobs, and a job shows all that it knows (contract §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from actorq.core import intake
from actorq.core.instants import LATEST_US, format_instant, parse_instant
from actorq.core.job import DependentJob, NewJob
from actorq.core.policy import Policy
from actorq.core.wire import bodies, requests
from actorq.core.wire.decoding import Reader
from actorq.core.wire.views import job_view
from actorq.core.workflow import OnParentFailure, Workflow
from actorq.errors import ActorqError, InvalidInput, QueueFull
from tests.core.records import ID, NOW, jobs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.core.job import Job

MEMBERS = {"depends_on", "waiting_for", "on_parent_failure", "not_before", "dependents"}
READER = Reader(bodies.EnqueueBody)

ids = st.uuids().map(str)
families = st.lists(ids, max_size=4, unique=True).map(tuple)


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    """Draw a place among others that a record could have."""
    parents = draw(families)
    waiting_for = tuple(each for each in parents if draw(st.booleans()))
    return Workflow(
        depends_on=parents,
        waiting_for=waiting_for,
        on_parent_failure=draw(st.sampled_from(OnParentFailure))
        if parents
        else OnParentFailure.CANCEL,
        not_before=draw(st.none() | st.integers(NOW, LATEST_US)) if waiting_for else None,
        dependents=draw(families),
    )


def shown(job: Job) -> dict[str, object]:
    """Return a job as a client reads it."""
    return cast("dict[str, object]", msgspec.json.decode(msgspec.json.encode(job_view(job))))


def read(seen: dict[str, object]) -> Workflow:
    """Return the workflow that a client reads of a job."""
    early = seen.get("not_before")
    told = {name: seen[name] for name in MEMBERS & seen.keys()}
    if early is not None:
        told["not_before"] = parse_instant(str(early), "/not_before")
    return msgspec.convert(told, Workflow)


@given(jobs(), workflows())
def test_a_job_shows_its_place_among_others(job: Job, workflow: Workflow) -> None:
    """Whatever it knows of others can be read of it, and it has no due time while it waits (§2, §9)."""
    waits = bool(workflow.waiting_for)
    job = replace(job, workflow=workflow, available_at=LATEST_US if waits else job.available_at)
    seen = shown(job)
    assert read(seen) == workflow
    assert seen["available_at"] == (None if waits else format_instant(job.available_at))
    assert ("depends_on" in seen) == ("waiting_for" in seen) == ("on_parent_failure" in seen)
    assert ("depends_on" in seen) == bool(workflow.depends_on)
    assert ("dependents" in seen) == bool(workflow.dependents)


@given(jobs())
def test_a_job_alone_shows_nothing_of_others(job: Job) -> None:
    """A job without a workflow is shown as ever: no member more, and a due time (§9)."""
    seen = shown(job)
    assert not MEMBERS & seen.keys()
    assert seen["available_at"] == format_instant(job.available_at)


def asked(earlier: Sequence[NewJob | ActorqError], **members: object) -> NewJob:
    """Return the job that a body asks for, in a batch after ``earlier``."""
    body = READER.read(msgspec.json.encode({"queue": "q", "payload": "", **members}))
    return requests.new_job(body, ID, Policy(), header_key=None, caller="", earlier=earlier)


EARLIER: list[NewJob | ActorqError] = [
    intake.new_job(ID[:-1] + "2", "q", "", Policy()),
    QueueFull("q", 1),
    intake.new_job(ID[:-1] + "3", "q", "", Policy()),
]


@given(st.lists(ids | st.sampled_from(["#0", "#2"]), min_size=1, max_size=5))
def test_a_place_names_an_earlier_job(names: list[str]) -> None:
    """``#N`` is the job at that place of the batch, among ids of jobs that are there (§9)."""
    made = asked(EARLIER, depends_on=names, on_parent_failure="RUN")
    places = {"#0": ID[:-1] + "2", "#2": ID[:-1] + "3"}
    assert isinstance(made, DependentJob)
    assert made.depends_on == tuple(dict.fromkeys(places.get(name, name) for name in names))
    assert made.on_parent_failure is OnParentFailure.RUN


@pytest.mark.parametrize(
    "name",
    ["#1", "#3", "#00", "#02", "#", "#-1", "#x", "# 0", "#0 ", "#\u0660", "#9999999", "0", ""],
)
def test_what_names_no_earlier_job_is_refused(name: str) -> None:
    """Its own place, a later one, a refused item, or another form: refused at its place (§9)."""
    with pytest.raises(InvalidInput) as caught:
        asked(EARLIER, depends_on=["#0", name])
    assert caught.value.pointer == "/depends_on/1"


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"depends_on": "#0"}, "/depends_on"),
        ({"depends_on": [0]}, "/depends_on/0"),
        ({"depends_on": ["#0"], "on_parent_failure": "later"}, "/on_parent_failure"),
        ({"on_parent_failure": "run"}, "/on_parent_failure"),
        ({"depends_on": ["#0"], "on_parent_failure": None}, "/on_parent_failure"),
    ],
)
def test_malformed_wishes_are_refused(members: dict[str, object], pointer: str) -> None:
    """What is no list of names, and no such policy, is refused at its place (§1)."""
    with pytest.raises(InvalidInput) as caught:
        asked(EARLIER, **members)
    assert caught.value.pointer == pointer


def test_no_parents_are_no_wish() -> None:
    """Null and an empty list say nothing (§1)."""
    assert asked([]) == asked([], depends_on=None) == asked([], depends_on=[])
