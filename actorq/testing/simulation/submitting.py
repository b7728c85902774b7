"""How a client asks for jobs: several in one call, and again while it does not know what came of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from actorq.core.results import Enqueued, PrunedReplay
from actorq.errors import ActorqError
from actorq.testing.invariants import events as e
from actorq.testing.simulation.caller import IN_DOUBT, NOT_DONE, Caller, code_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.face import JobQueue
    from actorq.testing.simulation.requests import Wish

INSISTS_S: Final = 8.0
"""For how long a request is made that is known again, until its client gives up."""

Answer = Enqueued | PrunedReplay | ActorqError


async def submit(caller: Caller, wishes: Sequence[Wish]) -> None:
    """Utter wishes in one call; what is known again is repeated until there is an answer."""
    until = caller.at + INSISTS_S
    while wishes:
        calls = [caller.world.call_name() for _ in wishes]
        for call, wish in zip(calls, wishes, strict=True):
            caller.record(
                e.Submit(at=caller.at, actor=caller.name, call=call, request=wish.request)
            )
        answers: Sequence[Answer | Exception]
        try:
            answers = await caller.ask(
                partial(_enqueue, wishes),
                may_double=all(wish.has_key for wish in wishes),
            )
        except (*NOT_DONE, *IN_DOUBT) as error:
            answers = [error] * len(wishes)
        for call, answer in zip(calls, answers, strict=True):
            _note(caller, call, answer)
        open_ones = (*NOT_DONE, *IN_DOUBT)
        wishes = [
            wish
            for wish, answer in zip(wishes, answers, strict=True)
            if isinstance(answer, open_ones) and wish.can_repeat
        ]
        await caller.rest()
        if caller.at >= until:
            return


async def _enqueue(wishes: Sequence[Wish], queue: JobQueue) -> list[Answer]:
    jobs = [
        wish.job or queue.new_job(wish.request.queue, wish.payload, **wish.options)
        for wish in wishes
    ]
    return await queue.enqueue_many(jobs)


def _note(caller: Caller, call: str, answer: Answer | Exception) -> None:
    if isinstance(answer, IN_DOUBT):
        caller.record(e.Unknown(at=caller.at, actor=caller.name, call=call))
    elif isinstance(answer, Exception):
        refuse(caller, call, answer)
    elif isinstance(answer, PrunedReplay):
        # The request was done once, and its job is over and gone since.
        caller.record(
            e.Refused(
                at=caller.at, actor=caller.name, call=call, code="not_found", job_id=answer.id
            )
        )
    else:
        caller.world.known.append(answer.job.id)
        caller.record(
            e.Accepted(
                at=caller.at,
                actor=caller.name,
                call=call,
                job_id=answer.job.id,
                status=answer.job.status.value,
                outcome=answer.outcome.value,
                replayed=answer.replayed,
            )
        )


def refuse(caller: Caller, call: str, error: Exception) -> None:
    """Record that a call was refused, and has changed nothing."""
    job_id: str | None = getattr(error, "job_id", None)
    caller.record(
        e.Refused(at=caller.at, actor=caller.name, call=call, code=code_of(error), job_id=job_id)
    )
