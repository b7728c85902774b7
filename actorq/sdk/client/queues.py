"""The calls on queues: their figures, their settings, and what is removed from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import UNSET

from actorq.core import bounds, intake
from actorq.core.queue import QueueEdit
from actorq.core.transitions import Status
from actorq.errors import InvalidInput
from actorq.sdk.client import batches, figures, writing
from actorq.sdk.client.base import JSON, BaseCalls, queue_path
from actorq.sdk.client.exchange import Repeat, Request, Subject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actorq.core.job import Job
    from actorq.core.queue import QueueLength, QueueSettings, QueueStats
    from actorq.errors import ActorqError
    from actorq.sdk.client.exchange import Conversation

REDRIVE: Final = 500
"""How many dead jobs are redriven at once if nobody says how many."""

MAX_REDRIVE: Final = 1_000


class QueueCalls(BaseCalls):
    """What can be done with queues, by name."""

    def list_queues(self) -> Conversation[list[QueueStats]]:
        """Return the figures of all queues, at most a second old.

        Of their settings they tell only whether they are paused.
        """
        return figures.all_stats((yield from self.ask(Request(method="GET", path="/queues"))))

    def get_queue(self, queue_name: str) -> Conversation[QueueStats]:
        """Return the figures of one queue now; an unknown queue is all zero."""
        request = Request(method="GET", path=queue_path(queue_name))
        return figures.stats((yield from self.ask(request)))

    def get_queue_length(self, queue_name: str) -> Conversation[QueueLength]:
        """Return how many jobs of a queue wait, exactly: ``pending`` is its length."""
        request = Request(method="GET", path=queue_path(queue_name, "length"))
        return figures.length((yield from self.ask(request)))

    def get_settings(self, queue_name: str) -> Conversation[QueueSettings]:
        """Return what is set for a queue; None where the server's default holds."""
        request = Request(method="GET", path=queue_path(queue_name, "settings"))
        return figures.settings((yield from self.ask(request)))

    def update_queue(self, edit: QueueEdit) -> Conversation[QueueSettings]:
        """Change a queue's settings; the queue is made if it is not there yet.

        ``pause`` and ``resume`` are calls of their own.
        """
        edit = intake.queue_edit(edit)
        if edit.paused is not UNSET or edit.paused_reason is not UNSET:
            raise InvalidInput("/paused", "is changed by pause and resume")
        request = Request(
            method="PATCH",
            path=queue_path(edit.queue_name, "settings"),
            body=writing.settings_body(edit),
            headers=JSON,
        )
        return figures.settings((yield from self.ask(request)))

    def pause(self, queue_name: str, reason: str | None = None) -> Conversation[QueueSettings]:
        """Give out no more of this queue's jobs, on every server of the store."""
        request = Request(
            method="POST",
            path=queue_path(queue_name, "pause"),
            body=writing.encode({} if reason is None else {"reason": reason}),
            headers=JSON,
        )
        return figures.settings((yield from self.ask(request)))

    def resume(self, queue_name: str) -> Conversation[QueueSettings]:
        """Give out this queue's jobs again."""
        request = Request(method="POST", path=queue_path(queue_name, "resume"))
        return figures.settings((yield from self.ask(request)))

    def purge(self, queue_name: str, statuses: Iterable[Status]) -> Conversation[int]:
        """Remove all jobs of these statuses; running ones cannot be. Returns how many.

        Not repeated when the answer is lost: there may be new jobs by then.
        """
        named = sorted(status.value for status in intake.purgeable(statuses))
        request = Request(
            method="POST",
            path=queue_path(queue_name, "purge"),
            body=writing.encode({"statuses": named}),
            headers=JSON,
            repeat=Repeat.IF_UNDONE,
        )
        return figures.removed((yield from self.ask(request)))

    def redrive_dead(
        self, queue_name: str, limit: int = REDRIVE
    ) -> Conversation[list[Job | ActorqError]]:
        """Redrive up to ``limit`` dead jobs of a queue, newest first; one result each.

        Not repeated when the answer is lost: it would redrive others.
        """
        limit = bounds.integer(limit, "/limit", least=1, most=MAX_REDRIVE)
        request = Request(
            method="POST",
            path=queue_path(queue_name, "redrive"),
            body=writing.encode({"limit": limit}),
            headers=JSON,
            repeat=Repeat.IF_UNDONE,
            about=Subject(queue_name=queue_name),
        )
        return batches.job_items((yield from self.ask(request)), None)

    def check(self) -> Conversation[tuple[str, ...]]:
        """Ask whether a job would be taken now; returns what the store would have its operator know.

        Raises ``BackendUnavailable`` or ``ShuttingDown``, at once.
        """
        request = Request(method="GET", path="/readyz", repeat=Repeat.NEVER)
        return figures.warnings((yield from self.ask(request)))
