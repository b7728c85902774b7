"""The checks of schedules: what somebody asks for becomes a checked definition, for every door alike.

Every function here raises ``InvalidInput`` with the JSON pointer of the first value that is wrong.
"""

from collections.abc import Sequence
from typing import Final, Literal, TypedDict, Unpack

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
from actorq.core.ticks import Timing, check_timing
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


class ScheduleOptions(JobOptions, total=False):
    """What may be said of a schedule beside its name, its queue and its payload.

    Exactly one of ``cron`` (five fields, or a name like ``@daily``) and ``every`` (seconds, 1 s to a
    year) says when it comes due. ``zone`` is the IANA name of the expression's time zone, UTC by default. No
    tick comes before ``starts_at`` nor after ``ends_at`` (instants). ``catch_up`` says which ticks
    are made up for that passed while no server was there (``last``, unless it says another), as far as they
    lie within ``catch_up_window`` (seconds, a day by default). All else is said of the job.
    """

    cron: str | None
    every: float | None
    zone: str
    starts_at: int | None
    ends_at: int | None
    catch_up: CatchUp | Literal["none", "last", "all"]
    catch_up_window: float
    paused: bool


def new_schedule(  # noqa: PLR0913 - one argument for each thing that a caller may say
    name: str,
    queue_name: str,
    payload: str,
    policy: Policy,
    *,
    cron: str | None = None,
    every: float | None = None,
    zone: str = "UTC",
    starts_at: int | None = None,
    ends_at: int | None = None,
    catch_up: CatchUp | str = CatchUp.LAST,
    catch_up_window: float = DAY_S,
    paused: bool = False,
    **job: Unpack[JobOptions],
) -> NewSchedule:
    """Return the checked definition."""
    timing = Timing(cron=cron, every=every, zone=zone, starts_at=starts_at, ends_at=ends_at)
    wanted = NewSchedule(
        name=name_of(name),
        job=new_job(queue_name, payload, policy, **job),
        timing=check_timing(timing),
        catch_up=intake.word(CatchUp, catch_up, "/catch_up"),
        catch_up_window=catch_up_window,
        paused=paused,
    )
    return check(wanted, policy)


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
