"""Queues: their figures and settings (contract §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.core.queue import QueueLength, QueueStats
from actorq.core.transitions import Status

if TYPE_CHECKING:
    from actorq.backends.memory.data import Data
    from actorq.core.queue import QueueEdit


def stats(data: Data, name: str) -> QueueStats:
    """Return the figures of a queue; of an unknown one they are zero."""
    queue = data.queues.get(name)
    if queue is None:
        return QueueStats(name=name, counts=dict.fromkeys(Status, 0))
    return queue.stats()


def length(data: Data, name: str) -> QueueLength:
    """Return the length of a queue; that of an unknown one is 0."""
    queue = data.queues.get(name)
    return QueueLength(queue_name=name) if queue is None else queue.length()


def update(data: Data, edit: QueueEdit) -> QueueStats:
    """Change settings of a queue."""
    queue = data.queue(edit.queue_name)
    data.set(queue, edit.apply(queue.settings))
    return queue.stats()
