"""The checks of schedules: what somebody asks for becomes a checked definition, for every door alike.

Every function here raises ``InvalidInput`` with the JSON pointer of the first value that is wrong.
"""

from collections.abc import Sequence
from typing import Final, TypedDict, Unpack

import msgspec

from actorq.core import bounds, intake
from actorq.core.job import DEFAULT_BACKOFF, Backoff, Delivery, NewJob, OnDuplicate
from actorq.core.policy import DAY_S, Policy
from actorq.core.schedule import (
    CatchUp,
    DeclareSchedule,
    NewSchedule,
    PutSchedule,
    ScheduleChange,
)
from actorq.core.ticks import check_timing
from actorq.errors import InvalidInput

MAX_TICKS: Final = 100
"""How many ticks ahead one preview shows."""

MAX_WINDOW_S: Final = 31 * DAY_S
"""How far back ticks can be made up for."""

_OWN: Final = ("id", "delay", "available_at", "expires_at", "idempotency")


class JobOptions(TypedDict, total=False):
    """What may be said of the job that each tick makes, as of any job: see ``EnqueueOptions``.

    With a ``dedupe_key`` a tick makes no job while the one before is still waiting or running.
    """

    priority: int
    max_retries: int
    delivery: Delivery | str
    metadata: dict[str, str] | None
    task: str | None
    backoff: Backoff
    timeout: float | None
    dedupe_key: str | None
    dedupe_window: float
    on_duplicate: OnDuplicate | str


def new_job(queue_name: str, payload: str, policy: Policy, **options: Unpack[JobOptions]) -> NewJob:
    """Return the checked job that each tick makes; pointers begin with ``/job``."""
    options.setdefault("backoff", DEFAULT_BACKOFF)
    try:
        made = intake.new_job("", queue_name, payload, policy, **options)
    except InvalidInput as error:
        raise InvalidInput(f"/job{error.pointer}", error.message) from None
    return NewJob(**msgspec.structs.asdict(made))


def check(new: NewSchedule, policy: Policy) -> NewSchedule:
    """Return a definition that every store can take."""
    wishes = msgspec.structs.asdict(new.job)
    said = {name: wishes.pop(name) for name in _OWN}
    for name, value in said.items():
        if value:
            raise InvalidInput(f"/job/{name}", "is not for the job of a schedule to say")
    job = new_job(wishes.pop("queue_name"), wishes.pop("payload"), policy, **wishes)
    return NewSchedule(
        name=name_of(new.name),
        job=job,
        timing=check_timing(new.timing),
        catch_up=catch_up(new.catch_up),
        catch_up_window=bounds.seconds(
            new.catch_up_window, "/catch_up_window", least=0.0, most=MAX_WINDOW_S
        ),
        paused=bounds.boolean(new.paused, "/paused"),
    )


def changes(wishes: Sequence[ScheduleChange], policy: Policy) -> tuple[ScheduleChange, ...]:
    """Check what is asked of schedules."""
    return tuple(_change(wish, policy) for wish in wishes)


def names(asked: Sequence[str]) -> tuple[str, ...]:
    """Check names of schedules to look up."""
    return tuple(name_of(name) for name in asked)


def catch_up(value: object) -> CatchUp:
    """Return the policy that a word names."""
    return intake.word(CatchUp, value, "/catch_up")


def name_of(value: object, pointer: str = "/name") -> str:
    """Return the legal name of a schedule: the same form as a queue's."""
    return bounds.queue_name(value, pointer)


def _change(wish: ScheduleChange, policy: Policy) -> ScheduleChange:
    if isinstance(wish, PutSchedule | DeclareSchedule):
        return msgspec.structs.replace(wish, new=check(wish.new, policy))
    name_of(wish.name)
    return wish
