"""How a worker renews its leases, all in one call, and what it learns by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from actorq.core.commands import Extend
from actorq.core.job import Job
from actorq.errors import LeaseLost, NotFound, NotLeased
from actorq.testing.invariants import events as e
from actorq.testing.simulation.caller import IN_DOUBT, NOT_DONE, Caller, code_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.errors import ActorqError
    from actorq.testing.simulation.held import Held


async def renew(caller: Caller, working: Sequence[Held], visibility: float) -> None:
    """Renew the leases of what is in a worker's hands; stop what is lost, or to be cancelled."""
    calls = [caller.world.call_name() for _ in working]
    items = [Extend(held.job.id, held.token, visibility) for held in working]
    sent_at = caller.at
    for call, item in zip(calls, items, strict=True):
        caller.record(
            e.Renew(
                at=sent_at,
                actor=caller.name,
                call=call,
                job_id=item.id,
                token=item.token,
                visibility=visibility,
            )
        )
    try:
        answers = await caller.ask(lambda queue: queue.extend_many(items), may_double=True)
    except NOT_DONE as error:
        for call in calls:
            caller.record(
                e.Refused(at=caller.at, actor=caller.name, call=call, code=code_of(error))
            )
    except IN_DOUBT:
        for call in calls:
            caller.record(e.Unknown(at=caller.at, actor=caller.name, call=call))
    else:
        for call, held, answer in zip(calls, working, answers, strict=True):
            caller.record(_learnt(caller, call, held, answer, sent_at))


def _learnt(
    caller: Caller, call: str, held: Held, answer: Job | ActorqError, sent_at: float
) -> e.Renewed | e.Unknown:
    if isinstance(answer, IN_DOUBT):
        return e.Unknown(at=caller.at, actor=caller.name, call=call)
    if not isinstance(answer, Job):
        held.stop()
        return e.Renewed(
            at=caller.at, actor=caller.name, call=call, outcome=_OUTCOMES[type(answer)]
        )
    assert answer.lease is not None
    held.renewed(answer.lease.visibility_timeout, sent_at)
    if answer.cancel_requested:
        held.cancelled = True
        held.stop()
    return e.Renewed(
        at=caller.at,
        actor=caller.name,
        call=call,
        outcome="ok",
        visibility=answer.lease.visibility_timeout,
        directive="cancel" if answer.cancel_requested else "continue",
    )


_OUTCOMES: dict[type[ActorqError], e.Outcome] = {
    LeaseLost: "lease_lost",
    NotLeased: "not_leased",
    NotFound: "not_found",
}
