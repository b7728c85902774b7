"""The calls on schedules: what makes jobs as time goes by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Unpack

import msgspec

from actorq.core import bounds, intake, schedule_intake
from actorq.core.instants import format_instant
from actorq.core.job import NewJob
from actorq.core.schedule import NewSchedule
from actorq.core.schedule_intake import MAX_TICKS, ScheduleOptions
from actorq.core.ticks import Timing, check_timing
from actorq.sdk.client import reading, ticks, writing
from actorq.sdk.client.base import JSON, POLICY, BaseCalls
from actorq.sdk.client.exchange import Repeat, Request, Subject

if TYPE_CHECKING:
    from actorq.core.job import Job
    from actorq.core.schedule import Schedule
    from actorq.sdk.client.exchange import Conversation

_MADE: Final = frozenset({200, 201})


class ScheduleCalls(BaseCalls):
    """What can be done with schedules, by name."""

    def new_schedule(
        self, name: str, queue_name: str, payload: str, **options: Unpack[ScheduleOptions]
    ) -> NewSchedule:
        """Make a checked definition, each tick of which makes a job; raises ``InvalidInput``.

        ``ScheduleOptions`` tells what may be said of it, and of its job.
        """
        return schedule_intake.new_schedule(name, queue_name, payload, POLICY, **options)

    def put_schedule(
        self, new: NewSchedule, *, version: int | None = None, must_be_new: bool = False
    ) -> Conversation[Schedule]:
        """Make a schedule, or define it anew. What is so already stays as it is.

        With ``version``, raises ``StaleSchedule`` unless it is still at that version; with ``must_be_new``,
        ``ScheduleExists`` if another is there under its name. Not repeated then when the answer is lost.
        """
        headers = JSON if version is None else (*JSON, ("if-match", f'"{version}"'))
        if must_be_new:
            headers = (*headers, ("if-none-match", "*"))
        is_bound = must_be_new or version is not None
        request = Request(
            method="PUT",
            path=_path(new.name),
            body=_definition(schedule_intake.check(new, POLICY)),
            headers=headers,
            repeat=Repeat.IF_UNDONE if is_bound else Repeat.FREELY,
            expect=_MADE,
            about=Subject(schedule=new.name),
        )
        return ticks.schedule((yield from self.ask(request)))

    def declare_schedule(self, new: NewSchedule) -> Conversation[Schedule]:
        """Say what the program's code holds of a schedule; it is taken over when the code has changed."""
        request = Request(
            method="PUT",
            path=_path(new.name),
            body=_definition(new, declared=True),
            headers=JSON,
            expect=_MADE,
            about=Subject(schedule=new.name),
        )
        return ticks.schedule((yield from self.ask(request)))

    def get_schedule(self, name: str) -> Conversation[Schedule]:
        """Return a schedule; raises ``ScheduleNotFound``."""
        return self._on_schedule("GET", name)

    def list_schedules(self, after: str = "", limit: int = 50) -> Conversation[list[Schedule]]:
        """List schedules by name; the last one's name goes into the next call's ``after``."""
        query = [("limit", str(intake.page_size(limit)))]
        if after:
            query.append(("cursor", schedule_intake.name_of(after)))
        request = Request(method="GET", path="/schedules", query=tuple(query))
        return ticks.schedules((yield from self.ask(request)))

    def pause_schedule(self, name: str) -> Conversation[Schedule]:
        """Let a schedule make no more jobs, on every server of the store."""
        return self._on_schedule("POST", name, "pause")

    def resume_schedule(self, name: str) -> Conversation[Schedule]:
        """Let a schedule go on, from its next tick: those during the pause are not made up for."""
        return self._on_schedule("POST", name, "resume")

    def delete_schedule(self, name: str, *, version: int | None = None) -> Conversation[Schedule]:
        """Remove a schedule, and return what it was; its jobs stay. Not repeated when the answer is lost."""
        headers = () if version is None else (("if-match", f'"{version}"'),)
        return self._on_schedule("DELETE", name, headers=headers, repeat=Repeat.IF_UNDONE)

    def run_schedule(self, name: str) -> Conversation[Job]:
        """Make a schedule's job now, beside its ticks. Not repeated when the answer is lost."""
        request = Request(
            method="POST",
            path=_path(name, "run"),
            repeat=Repeat.IF_UNDONE,
            expect=_MADE,
            about=Subject(schedule=name),
        )
        return reading.job((yield from self.ask(request)), Subject())

    def preview_ticks(self, of: str | Timing, count: int = 10) -> Conversation[list[int]]:
        """Return the next ticks of a schedule, or of a timing that is none yet: up to 100 instants."""
        query = [("count", str(bounds.integer(count, "/count", least=1, most=MAX_TICKS)))]
        if isinstance(of, Timing):
            query += [(name, str(value)) for name, value in _timing(check_timing(of)).items()]
            request = Request(method="GET", path="/ticks", query=tuple(query))
        else:
            about = Subject(schedule=of)
            request = Request(
                method="GET", path=_path(of, "ticks"), query=tuple(query), about=about
            )
        return ticks.instants((yield from self.ask(request)))

    def _on_schedule(
        self,
        method: str,
        name: str,
        action: str = "",
        *,
        headers: tuple[tuple[str, str], ...] = (),
        repeat: Repeat = Repeat.FREELY,
    ) -> Conversation[Schedule]:
        request = Request(
            method=method,
            path=_path(name, action),
            headers=headers,
            repeat=repeat,
            about=Subject(schedule=name),
        )
        return ticks.schedule((yield from self.ask(request)))


def _path(name: str, action: str = "") -> str:
    named = schedule_intake.name_of(name)
    return f"/schedules/{named}/{action}" if action else f"/schedules/{named}"


def _definition(new: NewSchedule, *, declared: bool = False) -> bytes:
    """Return the body that defines a schedule, or declares it."""
    return writing.encode(
        {
            **_timing(new.timing),
            "job": msgspec.Raw(writing.job_body(NewJob(**msgspec.structs.asdict(new.job)), None)),
            "catch_up": new.catch_up,
            "catch_up_window": new.catch_up_window,
            "paused": new.paused,
            "declared": declared,
        }
    )


def _timing(timing: Timing) -> dict[str, object]:
    """Return what is said of a timing."""
    said = {name: value for name, value in msgspec.structs.asdict(timing).items() if value}
    for name in ("starts_at", "ends_at"):
        if isinstance(at := said.get(name), int):
            said[name] = format_instant(at)
    return said
