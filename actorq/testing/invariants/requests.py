"""What can be said of requests before it is known what came of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actorq.testing.invariants.events import Accepted, Submit
    from actorq.testing.invariants.story import Call, Life, Story

Identity = tuple[str, str, str]
"""The scope, the queue and the idempotency key of a request."""


def identity(call: Call[Submit, Accepted]) -> Identity | None:
    """Return what makes two requests the same one, None without an idempotency key."""
    request = call.sent.request
    if request.idempotency_key is None:
        return None
    return request.scope, request.queue, request.idempotency_key


def first_sent(story: Story, call: Call[Submit, Accepted]) -> float:
    """Return when this request was sent for the first time: that may be what was accepted."""
    request, own = call.sent.request, identity(call)
    if own is not None:
        return min(same.at for same in story.by_identity[own])
    if request.job_id is not None:
        return min(same.at for same in story.by_minted_id[request.job_id])
    return call.at


def due_may_change(story: Story, life: Life) -> bool:
    """Tell whether somebody may have moved the due time of a job: by an edit, by a replacement."""
    if any(ask.sent.due_changes and ask.possible for ask in life.asks):
        return True
    made = life.created_by
    if not made:
        # Whose request made it was never answered: any that takes over a waiting job may mean this one.
        return any(queue == life.queue and calls for (queue, _), calls in story.replacing.items())
    keys = {(call.sent.request.queue, call.sent.request.dedupe_key or "") for call in made}
    return any(call not in made for key in keys for call in story.replacing.get(key, ()))


def paused_queues(story: Story) -> set[str]:
    """Return the queues that were paused at any time."""
    return {
        queue
        for queue, asks in story.queue_asks.items()
        if any(ask.sent.verb == "pause" for ask in asks)
    }
