"""What all calls share: how a job is made here, how a request is sent until it is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Unpack

import msgspec

from actorq.clock import random_bits, wall_clock
from actorq.core import bounds, intake
from actorq.core.ids import IdMint
from actorq.core.job import Job, NewJob
from actorq.core.policy import Policy
from actorq.errors import InvalidInput, NotFound
from actorq.sdk.client import reading, writing
from actorq.sdk.client.exchange import Pause
from actorq.sdk.client.persistence import persist

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from actorq.face import EnqueueOptions
    from actorq.sdk.client.exchange import Answer, Conversation, Request
    from actorq.sdk.client.options import ClientOptions

JSON: Final = (("content-type", "application/json"),)

POLICY: Final = Policy(max_payload_bytes=2**40)
"""The bounds that are checked here. How large a payload may be is the server's to say."""

SOON_S: Final = 1.0
"""How long to leave alone a server that answered a wait early: it is going away."""


class BaseCalls:
    """What the calls on jobs, leases and queues are made of."""

    def __init__(self, options: ClientOptions) -> None:
        """Repeat and wait as ``options`` say."""
        self._options = options

    def new_job(self, queue_name: str, payload: str, **options: Unpack[EnqueueOptions]) -> NewJob:
        """Make a checked job for ``enqueue_many``; raises ``InvalidInput``.

        Its id is a name for this request: the server gives the job another. It is also its idempotency key,
        if ``idempotency_key`` says no other, so that the same job can be sent again and is made once.
        """
        if "caller" in options:
            raise InvalidInput("/caller", "is the server's to say")
        # One mint for each id, so that threads need not wait for each other.
        name = IdMint(wall_clock, random_bits).mint()
        key = options.pop("idempotency_key", None)
        if key is not None:
            bounds.text(key, "/idempotency_key", longest=bounds.MAX_KEY)
        new = intake.new_job(name, queue_name, payload, POLICY, **options)
        return writing.ClientJob(**msgspec.structs.asdict(new), key=name if key is None else key)

    def ask(self, request: Request) -> Conversation[Answer]:
        """Send a request until it is answered; raises what is refused."""
        return persist(request, self._options)

    def ask_for_job(self, request: Request) -> Conversation[Job]:
        """Send a request that is answered by the job that it is about."""
        return reading.job((yield from self.ask(request)), request.about)

    def batches(
        self, name: str, items: Sequence[bytes], *, is_whole: bool = False
    ) -> Iterator[tuple[slice, bytes]]:
        """Cut items, JSON already, into requests that each hold a list ``name`` of some of them.

        Yields which items they are, and the body; an item that is too large for a request goes alone. What
        ``is_whole`` is not cut: raises ``InvalidInput`` for more items than a request has.
        """
        if is_whole:
            most = self._options.max_batch
            if len(items) > most:
                raise InvalidInput(
                    f"/{name}", f"at most {most} may depend on each other, not {len(items)}"
                )
            yield slice(0, len(items)), writing.batch(name, items)
            return
        start = size = 0
        for place, item in enumerate(items):
            is_full = place - start >= self._options.max_batch
            if place > start and (is_full or size + len(item) > self._options.max_body):
                yield slice(start, place), writing.batch(name, items[start:place])
                start, size = place, 0
            size += len(item) + 1
        if items:
            yield slice(start, len(items)), writing.batch(name, items[start:])

    def rest(self, waited: float, left: float, answer: Answer) -> Conversation[float]:
        """Return how many seconds of a wait are left after one of ``waited`` came to nothing.

        A server that answers long before its time is going away: it is not asked again at once.
        """
        if answer.took >= waited / 2.0:
            return max(0.0, left - waited)
        pause = min(SOON_S, left)
        yield Pause(pause)
        return max(0.0, left - answer.took - pause)


def path_of(job_id: str, action: str = "") -> str:
    """Return the path of a job; what is no id names no job, and the server is not asked."""
    if not bounds.is_job_id(job_id):
        raise NotFound(f"{job_id!a:.100}")
    return f"/jobs/{job_id}/{action}" if action else f"/jobs/{job_id}"


def queue_path(queue_name: str, action: str = "") -> str:
    """Return the path of a queue; raises ``InvalidInput`` for what cannot be a queue's name."""
    name = bounds.queue_name(queue_name)
    return f"/queues/{name}/{action}" if action else f"/queues/{name}"


def held(job: Job | str, token: str | None) -> tuple[str, str | None]:
    """Return a job's id, and the token under which it is held."""
    if isinstance(job, str):
        return job, token
    if token is None and job.lease is not None:
        token = job.lease.token
    return job.id, token
