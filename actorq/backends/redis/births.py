"""Births: new jobs, those that depend on others among them.

What is in the shard of a child is written with it in one step. Parents in other shards were read before; the
child is made by that, with a note for those which live, and the relay sees to what happened since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.backends.redis.outbox import Born
from actorq.core import dependence
from actorq.core.job import DependentJob, Job, NewJob, create
from actorq.errors import ActorqError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from actorq.backends.redis.access import Access
    from actorq.backends.redis.drafts import Draft
    from actorq.backends.redis.records import Record


def has_children(items: Iterable[NewJob]) -> bool:
    """Tell whether any of some new jobs depends on others."""
    return any(type(new) is DependentJob for new in items)


def parents_of(items: Iterable[NewJob]) -> list[str]:
    """Return the ids of all jobs that any of some new ones depends on, each once."""
    children = (new for new in items if type(new) is DependentJob)
    return list(dict.fromkeys(parent_id for new in children for parent_id in new.depends_on))


def parents_here(access: Access, items: Sequence[NewJob]) -> dict[str, Record]:
    """Read the parents that are in the shard of their children."""
    parents = parents_of(items)
    return access.read(parents)[1] if parents else {}


def make(draft: Draft, new: NewJob, elsewhere: dict[str, Job]) -> Job | ActorqError:
    """Make a job; let its parents know of it, by a note those which are ``elsewhere``."""
    if type(new) is not DependentJob:
        return draft.write(create(new, draft.now))
    here = {parent_id: draft.get(parent_id) for parent_id in new.depends_on}
    parents = [here[parent_id] or elsewhere.get(parent_id) for parent_id in new.depends_on]
    refused = dependence.refusal(new, parents)
    if refused is not None:
        return refused
    child = dependence.create_child(new, parents, draft.now)
    if child.waits_for_others:
        far: list[str] = []
        for parent in filter(None, parents):
            noted = dependence.with_dependent(parent, new.id, draft.now)
            if noted is None:
                continue
            if here[parent.id] is not None:
                draft.write(noted)
            else:
                # Those after it in the batch see that it has one more, though it is not written yet.
                elsewhere[parent.id] = noted
                far.append(parent.id)
        if far:
            draft.writes.note(Born(new.id, tuple(far)))
    return draft.write(child)
