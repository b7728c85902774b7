"""How a worker settles a job: once, or again and again while it does not know whether it was heard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from actorq.core.commands import Ack, Fail, Release
from actorq.core.results import Settled
from actorq.core.retry import Failure
from actorq.errors import LeaseLost, NotFound, NotLeased
from actorq.testing.invariants import events as e
from actorq.testing.invariants.records import digest
from actorq.testing.simulation.caller import IN_DOUBT, NOT_DONE, Caller, code_of
from actorq.testing.simulation.views import seen

if TYPE_CHECKING:
    from actorq.errors import ActorqError
    from actorq.face import JobQueue

TRIES: Final = 6
"""How often a worker tells the same until it gives up."""

_REFUSALS: Final[dict[type[ActorqError], e.Outcome]] = {
    LeaseLost: "lease_lost",
    NotLeased: "not_leased",
    NotFound: "not_found",
}


async def settle(caller: Caller, item: Ack | Fail | Release) -> None:
    """Tell a server ``item`` until it has answered, or it is not worth it any more."""
    # Whose word has no token does not repeat it: it might be said of another's lease by then.
    for _ in range(1 if item.token is None else TRIES):
        call = caller.world.call_name()
        caller.record(_asked(caller, call, item))
        try:
            has_token = item.token is not None
            answer = await caller.ask(lambda queue: _tell(queue, item), may_double=has_token)
        except NOT_DONE as error:
            caller.record(
                e.Refused(at=caller.at, actor=caller.name, call=call, code=code_of(error))
            )
        except IN_DOUBT:
            caller.record(e.Unknown(at=caller.at, actor=caller.name, call=call))
        else:
            caller.record(_answered(caller, call, answer))
            return
        await caller.rest()


async def _tell(queue: JobQueue, item: Ack | Fail | Release) -> Settled | ActorqError:
    match item:
        case Ack():
            results = await queue.ack_many([item])
        case Fail():
            results = await queue.fail_many([item])
        case Release():
            results = await queue.release_many([item])
    return results[0]


def _asked(caller: Caller, call: str, item: Ack | Fail | Release) -> e.Settle:
    result: str | None = None
    delay = 0.0
    action: e.Action
    match item:
        case Ack(result=text):
            action = "ack"
            result = None if text is None else digest(text)
        case Fail(failure=Failure(retry_in=seconds)):
            action = "fail"
            delay = seconds or 0.0
        case Release(delay=delay):
            action = "release"
    return e.Settle(
        at=caller.at,
        actor=caller.name,
        call=call,
        job_id=item.id,
        action=action,
        token=item.token,
        result=result,
        delay=delay,
    )


def _answered(caller: Caller, call: str, answer: Settled | ActorqError) -> e.Settled:
    if isinstance(answer, Settled):
        outcome: e.Outcome = "already" if answer.repeated else "ok"
        return e.Settled(
            at=caller.at, actor=caller.name, call=call, outcome=outcome, seen=seen(answer.job)
        )
    return e.Settled(at=caller.at, actor=caller.name, call=call, outcome=_REFUSALS[type(answer)])
