"""The verbs on schedules: what makes jobs as time goes by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from actorq.actors import messages as m
from actorq.actors.mailbox import Reply
from actorq.core import bounds, firing, intake, schedule_intake
from actorq.core.lease import hidden
from actorq.core.results import Enqueued
from actorq.core.schedule import (
    DeclareSchedule,
    DeleteSchedule,
    NewSchedule,
    PauseSchedule,
    PutSchedule,
)
from actorq.core.schedule_intake import MAX_TICKS, ScheduleOptions
from actorq.core.ticks import Timing, check_timing, next_ticks
from actorq.errors import ActorqError, ScheduleNotFound
from actorq.face.post import Post, only

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.core.job import Job
    from actorq.core.results import Check, PrunedReplay
    from actorq.core.schedule import Schedule, ScheduleChange


class ScheduleVerbs:
    """What can be done with schedules, by name."""

    def __init__(self, post: Post) -> None:
        """Send through ``post``."""
        self._post = post

    def new_schedule(
        self, name: str, queue_name: str, payload: str, **options: Unpack[ScheduleOptions]
    ) -> NewSchedule:
        """Make a checked definition, each tick of which makes a job; raises ``InvalidInput``.

        ``ScheduleOptions`` tells what may be said of it, and of its job.
        """
        return schedule_intake.new_schedule(name, queue_name, payload, self._post.policy, **options)

    async def put_schedule(
        self, new: NewSchedule, *, version: int | None = None, must_be_new: bool = False
    ) -> Schedule:
        """Make a schedule, or define it anew. What is so already stays as it is.

        With ``version``, raises ``StaleSchedule`` unless it is still at that version; with ``must_be_new``,
        ``ScheduleExists`` if another is there under its name.
        """
        wish = PutSchedule(new=new, version=version, must_be_new=must_be_new)
        return only(await self.change_schedules([wish]))

    async def declare_schedules(self, news: Sequence[NewSchedule]) -> list[Schedule]:
        """Say what a program's code holds of its schedules, at each of its starts.

        Each is taken over when the code says something else than it last did. Until then what was edited
        since, by whoever, stays; and one that was paused stays paused.
        """
        answers = await self.change_schedules([DeclareSchedule(new=new) for new in news])
        return [only([answer]) for answer in answers]

    async def change_schedules(
        self, wishes: Sequence[ScheduleChange]
    ) -> list[Schedule | ActorqError]:
        """Change schedules in one step; one result each, in order, a refusal being an error value."""
        reply: Reply[list[Schedule | ActorqError]] = Reply()
        checked = schedule_intake.changes(wishes, self._post.policy)
        return await self._post.ask(m.ChangeSchedules(checked, reply), reply)

    async def get_schedule(self, name: str) -> Schedule:
        """Return a schedule; raises ``ScheduleNotFound``."""
        found = (await self.get_schedules([name]))[0]
        if found is None:
            raise ScheduleNotFound(name)
        return found

    async def get_schedules(self, names: Sequence[str]) -> list[Schedule | None]:
        """Return schedules in the order asked; None where there is none."""
        reply: Reply[list[Schedule | None]] = Reply()
        return await self._post.ask(m.GetSchedules(schedule_intake.names(names), reply), reply)

    async def list_schedules(self, after: str = "", limit: int = 50) -> list[Schedule]:
        """List schedules by name; the last one's name goes into the next call's ``after``."""
        if after:
            schedule_intake.name_of(after)
        reply: Reply[list[Schedule]] = Reply()
        message = m.ListSchedules(after, intake.page_size(limit), reply)
        return await self._post.ask(message, reply)

    async def pause_schedule(self, name: str) -> Schedule:
        """Let a schedule make no more jobs, on every server of the store."""
        return only(await self.change_schedules([PauseSchedule(name=name, paused=True)]))

    async def resume_schedule(self, name: str) -> Schedule:
        """Let a schedule go on, from its next tick: those during the pause are not made up for."""
        return only(await self.change_schedules([PauseSchedule(name=name, paused=False)]))

    async def delete_schedule(self, name: str, *, version: int | None = None) -> Schedule:
        """Remove a schedule, and return what it was; its jobs stay."""
        return only(await self.change_schedules([DeleteSchedule(name=name, version=version)]))

    async def run_schedule(self, name: str) -> Job:
        """Make a schedule's job now, beside its ticks; for a held dedupe key, the job that holds it."""
        schedule = await self.get_schedule(name)
        new = firing.job_of(schedule, self._post.mint_id(schedule.job.queue_name), None)
        reply: Reply[list[Enqueued | PrunedReplay | ActorqError]] = Reply()
        (answer,) = await self._post.ask(m.EnqueueJobs((new,), reply), reply)
        if isinstance(answer, ActorqError):
            raise answer
        # A fresh id without an idempotency key is never a replay.
        assert isinstance(answer, Enqueued)
        return hidden(answer.job)

    async def preview_ticks(self, of: str | Timing, count: int = 10) -> list[int]:
        """Return the next ticks of a schedule, or of a timing that is none yet: up to 100 instants."""
        bounds.integer(count, "/count", least=1, most=MAX_TICKS)
        reply: Reply[Check] = Reply()
        now = (await self._post.ask(m.CheckStore(reply), reply)).now
        if isinstance(of, Timing):
            anchor = now if of.starts_at is None else of.starts_at
            return next_ticks(check_timing(of), anchor, now, count)
        schedule = await self.get_schedule(of)
        after = now if schedule.next_tick is None else schedule.next_tick - 1
        return next_ticks(schedule.timing, schedule.anchor, after, count)
