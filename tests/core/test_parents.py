"""The intake of jobs that depend on others (contract §1, §2)."""

from __future__ import annotations

from typing import Any

import pytest

from actorq.core import intake
from actorq.core.job import CheckedJob, DependentJob, NewJob, create
from actorq.core.policy import Policy
from actorq.core.workflow import MAX_PARENTS, OnParentFailure
from actorq.errors import InvalidInput
from tests.core.records import ID, NOW

FIRST, SECOND = (f"018f0000-0000-7000-8000-00000000000{number}" for number in (2, 3))


def new(**wishes: Any) -> NewJob:  # noqa: ANN401 - also of wrong types, which is the point
    """Make a job as a door does."""
    return intake.new_job(ID, "q", "x", Policy(), **wishes)


def child(**wishes: Any) -> DependentJob:  # noqa: ANN401 - as above
    """Make a job that depends on others."""
    made = new(**wishes)
    assert isinstance(made, DependentJob)
    return made


def test_a_parent_is_named_by_its_id_or_itself() -> None:
    """An id, a job to be made and a job that was made all name a parent, each once, in order (§2)."""
    asked = intake.new_job(SECOND, "q", "", Policy())
    for named in ([SECOND, FIRST], [asked, FIRST], [create(asked, NOW), FIRST, SECOND, asked]):
        assert child(depends_on=named).depends_on == (SECOND, FIRST)


def test_all_else_is_as_of_any_job() -> None:
    """A child is asked for like any job: every wish is kept (§1)."""
    wishes: dict[str, Any] = {"priority": 7, "metadata": {"a": "b"}, "delay": 5.0, "task": "t"}
    made = child(depends_on=[FIRST], **wishes)
    plain = new(**wishes)
    for name in CheckedJob.__struct_fields__:
        assert getattr(made, name) == getattr(plain, name)
    assert intake.check(made, Policy()) is made


def test_a_job_without_parents_is_a_plain_one() -> None:
    """An empty list of parents says nothing, and so does what is usual (§1)."""
    assert new(depends_on=[]) == new(depends_on=(), on_parent_failure="cancel") == new()
    assert type(new(depends_on=[])) is CheckedJob


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("cancel", OnParentFailure.CANCEL),
        ("Run", OnParentFailure.RUN),
        (OnParentFailure.RUN, OnParentFailure.RUN),
    ],
)
def test_the_policy_is_a_word(said: str, meant: OnParentFailure) -> None:
    """``on_parent_failure`` is a word in any case, and a member by identity (§1)."""
    assert child(depends_on=[FIRST], on_parent_failure=said).on_parent_failure is meant


@pytest.mark.parametrize(
    ("wishes", "pointer"),
    [
        ({"depends_on": FIRST}, "/depends_on"),
        ({"depends_on": {FIRST}}, "/depends_on"),
        ({"depends_on": [FIRST, "x"]}, "/depends_on/1"),
        ({"depends_on": [FIRST, "#0"]}, "/depends_on/1"),
        ({"depends_on": [FIRST.upper()]}, "/depends_on/0"),
        ({"depends_on": [5]}, "/depends_on/0"),
        ({"depends_on": [None]}, "/depends_on/0"),
        ({"depends_on": [Policy()]}, "/depends_on/0"),
        ({"on_parent_failure": "run"}, "/on_parent_failure"),
        ({"depends_on": [], "on_parent_failure": "run"}, "/on_parent_failure"),
        ({"depends_on": [FIRST], "on_parent_failure": "explode"}, "/on_parent_failure"),
    ],
)
def test_what_names_no_parents_is_refused(wishes: dict[str, Any], pointer: str) -> None:
    """Parents are a list of ids or jobs, and a policy for none means nothing: refused at its place (§1)."""
    with pytest.raises(InvalidInput) as caught:
        new(**wishes)
    assert caught.value.pointer == pointer


def test_there_is_a_bound_to_parents() -> None:
    """A job may depend on so many others, counted once each, and on no more (I18)."""
    ids = [f"018f0000-0000-7000-8000-{number:012x}" for number in range(MAX_PARENTS + 1)]
    assert len(child(depends_on=[*ids[:-1], ids[0]]).depends_on) == MAX_PARENTS
    with pytest.raises(InvalidInput) as caught:
        new(depends_on=ids)
    assert caught.value.pointer == "/depends_on"
