"""Schedules and their ticks in answers, as actorq's own records.

Not told over HTTP: from when an interval counts (``anchor`` is the instant of the making), whether a tick is
held back, and the digest of a declaration (``declared`` is empty text where there is one).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from actorq.core.instants import from_datetime
from actorq.core.job import DEFAULT_BACKOFF, Backoff, Delivery, NewJob, OnDuplicate
from actorq.core.schedule import CatchUp, Schedule
from actorq.core.ticks import Timing
from actorq.sdk.client.reading import Moment, understanding

if TYPE_CHECKING:
    from actorq.sdk.client.exchange import Answer


class _Job(msgspec.Struct, frozen=True, kw_only=True):
    queue_name: str
    payload: str
    priority: int = 0
    max_retries: int = 3
    delivery: Delivery = Delivery.AT_LEAST_ONCE
    metadata: dict[str, str] = {}
    task: str | None = None
    backoff: Backoff = DEFAULT_BACKOFF
    timeout: float | None = None
    dedupe_key: str | None = None
    dedupe_window: float = 0.0
    on_duplicate: OnDuplicate = OnDuplicate.RETURN


class _Schedule(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    job: _Job
    cron: str | None = None
    every: float | None = None
    zone: str = "UTC"
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    catch_up: CatchUp
    catch_up_window: float
    paused: bool
    next_tick: Moment | None = None
    last_tick: Moment | None = None
    last_job_id: str | None = None
    fired: int = 0
    declared: bool = False
    created_at: Moment
    updated_at: Moment
    version: int

    def record(self) -> Schedule:
        """Return the schedule as a record."""
        created_at = from_datetime(self.created_at)
        return Schedule(
            name=self.name,
            job=NewJob(id="", **msgspec.structs.asdict(self.job)),
            timing=Timing(
                cron=self.cron,
                every=self.every,
                zone=self.zone,
                starts_at=_instant(self.starts_at),
                ends_at=_instant(self.ends_at),
            ),
            catch_up=self.catch_up,
            catch_up_window=self.catch_up_window,
            paused=self.paused,
            anchor=created_at,
            next_tick=_instant(self.next_tick),
            last_tick=_instant(self.last_tick),
            last_job_id=self.last_job_id,
            fired=self.fired,
            created_at=created_at,
            updated_at=from_datetime(self.updated_at),
            version=self.version,
            declared="" if self.declared else None,
        )


class _Schedules(msgspec.Struct, frozen=True):
    schedules: list[_Schedule]


class _Ticks(msgspec.Struct, frozen=True):
    ticks: list[Moment]


_schedule: Final = msgspec.json.Decoder(_Schedule)
_schedules: Final = msgspec.json.Decoder(_Schedules)
_ticks: Final = msgspec.json.Decoder(_Ticks)


def schedule(answer: Answer) -> Schedule:
    """Return a schedule; raises ``BadAnswer``, as all here."""
    with understanding(answer):
        return _schedule.decode(answer.body).record()


def schedules(answer: Answer) -> list[Schedule]:
    """Return a page of schedules."""
    with understanding(answer):
        return [one.record() for one in _schedules.decode(answer.body).schedules]


def instants(answer: Answer) -> list[int]:
    """Return ticks."""
    with understanding(answer):
        return [from_datetime(tick) for tick in _ticks.decode(answer.body).ticks]


def _instant(moment: Moment | None) -> int | None:
    return None if moment is None else from_datetime(moment)
