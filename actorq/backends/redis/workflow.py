"""Workflow: what a record keeps of a job's place among others.

What was asked for stands in the body, what changes as others end in the state; both in the map in which any
program leaves alone what it does not know. A job without a workflow has nothing there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from actorq.core.workflow import NO_WORKFLOW, OnParentFailure, Workflow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actorq.core.job import Job

_KEY: Final = "workflow"


class _Asked(msgspec.Struct, array_like=True, frozen=True):
    """What was asked for: in the body."""

    depends_on: tuple[str, ...]
    on_parent_failure: OnParentFailure


class _Standing(msgspec.Struct, array_like=True, frozen=True):
    """What changes: in the state."""

    waiting_for: tuple[str, ...]
    not_before: int | None
    dependents: tuple[str, ...]


_NOTHING: Final = _Standing((), None, ())
_encode: Final = msgspec.msgpack.Encoder().encode
_asked: Final = msgspec.msgpack.Decoder(_Asked)
_standing: Final = msgspec.msgpack.Decoder(_Standing)


def asked_of(job: Job) -> dict[str, msgspec.Raw]:
    """Return what the body of a job tells of those that it depends on."""
    workflow = job.workflow
    if workflow is None or not workflow.depends_on:
        return {}
    asked = _Asked(workflow.depends_on, workflow.on_parent_failure)
    return {_KEY: msgspec.Raw(_encode(asked))}


def asked_in(later: Mapping[str, msgspec.Raw]) -> Workflow | None:
    """Return what a body tells."""
    if _KEY not in later:
        return None
    asked = _asked.decode(later[_KEY])
    return Workflow(depends_on=asked.depends_on, on_parent_failure=asked.on_parent_failure)


def with_standing(later: dict[str, msgspec.Raw], workflow: Workflow) -> dict[str, msgspec.Raw]:
    """Put how a job stands among others beside what a later program keeps in its state."""
    standing = _Standing(workflow.waiting_for, workflow.not_before, workflow.dependents)
    if standing == _NOTHING:
        return {key: value for key, value in later.items() if key != _KEY}
    return {**later, _KEY: msgspec.Raw(_encode(standing))}


def standing_in(later: Mapping[str, msgspec.Raw], asked: Workflow | None) -> Workflow | None:
    """Return what a job knows of others: ``asked`` is what its body tells, ``later`` is of its state."""
    if _KEY not in later:
        return asked
    standing = _standing.decode(later[_KEY])
    return msgspec.structs.replace(
        asked or NO_WORKFLOW,
        waiting_for=standing.waiting_for,
        not_before=standing.not_before,
        dependents=standing.dependents,
    )
