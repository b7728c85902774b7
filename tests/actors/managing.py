"""A lease manager for tests, with everything around it."""

from __future__ import annotations

from itertools import count

from actorq.actors import messages as m
from actorq.actors.lease_manager import LeaseManager
from actorq.actors.mailbox import Mailbox, Reply
from actorq.core.job import NewJob
from tests.actors.lanes import DirectLane, World


class Bench:
    """A lease manager of the queue ``q`` with everything around it."""

    def __init__(self) -> None:
        self.world = World()
        self.lane = DirectLane(self.world.lane())
        self.returner: Mailbox[m.ReturnerMessage] = Mailbox(100)
        self.retired = 0
        tokens = count(1)
        self.manager = LeaseManager(
            "q",
            lane=self.lane,
            returner=self.returner,
            mint_token=lambda: f"token-{next(tokens)}",
            retire=self._retire,
        )

    def _retire(self) -> bool:
        self.retired += 1
        return True

    def enqueue(self, *ids: str, priority: int = 0) -> None:
        """Put jobs into the store."""
        new = [NewJob(id=i, queue_name="q", payload="", priority=priority) for i in ids]
        self.world.backend.enqueue(new)


def consumer(slots: int = 1, *, wait: bool = True, worker: str = "w") -> m.Dequeue:
    """Make a consumer."""
    return m.Dequeue("q", worker, slots, None, wait, Reply())


def taken(request: m.Dequeue) -> list[str]:
    """Return the ids that a consumer was given, failing if it was not answered."""
    answer = request.reply.value
    assert answer is not None
    return [job.id for job in answer.jobs]
