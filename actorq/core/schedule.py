"""Schedules: the record that every store keeps of what makes jobs as time goes by."""

from enum import StrEnum
from hashlib import sha256
from typing import Final

import msgspec

from actorq.core.job import NewJob
from actorq.core.policy import DAY_S
from actorq.core.ticks import Timing


class CatchUp(StrEnum):
    """Which ticks are made up for that passed while no server was there to see to them."""

    NONE = "none"
    """None: only a tick that is found within a minute still fires."""
    LAST = "last"
    """The last of them, if it lies within the window."""
    ALL = "all"
    """Every one that lies within the window, the oldest first."""


class NewSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule as somebody wants it. ``JobQueue.new_schedule`` makes it.

    Each tick makes ``job``, which has no id and no due time of its own. ``catch_up_window`` is seconds.
    """

    name: str
    job: NewJob
    timing: Timing
    catch_up: CatchUp = CatchUp.LAST
    catch_up_window: float = DAY_S
    paused: bool = False


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """The record of one schedule.

    ``version`` counts its definitions, and ticks leave it alone: it is the ETag. ``anchor`` is the instant
    from which an interval counts; ``next_tick`` the instant that is to fire next, None while it is paused or
    when none will come. It is not looked at before ``held_until``. ``fired`` counts the jobs made.
    ``declared`` is the digest of the definition that code declared last, None if it never did.
    """

    name: str
    job: NewJob
    timing: Timing
    catch_up: CatchUp = CatchUp.LAST
    catch_up_window: float = DAY_S
    paused: bool = False
    anchor: int
    next_tick: int | None = None
    held_until: int | None = None
    last_tick: int | None = None
    last_job_id: str | None = None
    fired: int = 0
    created_at: int
    updated_at: int
    version: int = 1
    declared: str | None = None

    @property
    def due_at(self) -> int | None:
        """The instant at which a round has something to do for it."""
        if self.next_tick is None or self.held_until is None:
            return self.next_tick
        return max(self.next_tick, self.held_until)

    @property
    def definition(self) -> NewSchedule:
        """What somebody wanted it to be."""
        return NewSchedule(
            name=self.name,
            job=self.job,
            timing=self.timing,
            catch_up=self.catch_up,
            catch_up_window=self.catch_up_window,
            paused=self.paused,
        )


class PutSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """Make a schedule, or define it anew.

    With ``version`` only what is still at that version is defined anew; with ``must_be_new`` only what is
    not there yet is made.
    """

    new: NewSchedule
    version: int | None = None
    must_be_new: bool = False

    @property
    def name(self) -> str:
        """Which schedule."""
        return self.new.name


class DeclareSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """Say what a program's code holds of a schedule: taken over when the code has changed, and only then."""

    new: NewSchedule

    @property
    def name(self) -> str:
        """Which schedule."""
        return self.new.name


class PauseSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """Pause a schedule, or resume it."""

    name: str
    paused: bool


class DeleteSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """Remove a schedule; with ``version`` only while it is still at that version."""

    name: str
    version: int | None = None


ScheduleChange = PutSchedule | DeclareSchedule | PauseSchedule | DeleteSchedule
"""What may be asked of a schedule."""

_encoder: Final = msgspec.msgpack.Encoder()
_schedules: Final = msgspec.msgpack.Decoder(Schedule)
_fields: Final = msgspec.msgpack.Decoder(dict[str, msgspec.Raw])
_plain: Final = msgspec.json.Encoder(order="deterministic")
_KNOWN: Final = frozenset(Schedule.__struct_fields__)


def digest(new: NewSchedule) -> str:
    """Return what tells one definition from another; a later default of a new field changes it not."""
    whole = _said(new, _NOTHING)
    whole |= {"job": _said(new.job, _NOTHING.job), "timing": _said(new.timing, _NOTHING.timing)}
    return sha256(_plain.encode(whole)).hexdigest()


def encode(schedule: Schedule, before: bytes | None = None) -> bytes:
    """Return a record as stores keep it; what a later version keeps in ``before`` is put back."""
    data = _encoder.encode(schedule)
    if before is None:
        return data
    later = {name: raw for name, raw in _fields.decode(before).items() if name not in _KNOWN}
    return _encoder.encode({**_fields.decode(data), **later}) if later else data


def decode(data: bytes) -> Schedule:
    """Read a record as stores keep it."""
    return _schedules.decode(data)


def _said(whole: msgspec.Struct, nothing: msgspec.Struct) -> dict[str, object]:
    """Return the fields that are not as they are when nothing is said of them."""
    fields = msgspec.structs.asdict(whole)
    return {name: value for name, value in fields.items() if value != getattr(nothing, name)}


_NOTHING: Final = NewSchedule(
    name="", job=NewJob(id="", queue_name="", payload=""), timing=Timing()
)
