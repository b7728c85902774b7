"""A client: asks for jobs, looks at them, changes its mind, and tries again when nobody answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import anyio

from actorq.core.commands import Edit, ListJobs
from actorq.core.transitions import Status
from actorq.errors import ActorqError
from actorq.testing.invariants import events as e
from actorq.testing.invariants.records import digest
from actorq.testing.simulation.caller import IN_DOUBT, NOT_DONE, Caller
from actorq.testing.simulation.requests import Wishes
from actorq.testing.simulation.submitting import refuse, submit
from actorq.testing.simulation.views import seen

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from actorq.core.job import Job
    from actorq.core.policy import Policy
    from actorq.face import JobQueue
    from actorq.testing.simulation.server import Server
    from actorq.testing.simulation.world import World

ENDED_WITHOUT: Final = frozenset({Status.COMPLETED, Status.CANCELLED})
"""What a client purges; the dead are kept for a redrive."""

WATCHES_S: Final = 3.0
"""How long a client watches a job for a change."""


class Client(Caller):
    """Makes ``calls`` calls, with pauses between them, as long as there may be trouble."""

    def __init__(
        self, world: World, policy: Policy, name: str, servers: Sequence[Server], calls: int
    ) -> None:
        """Draw from the world's choices."""
        super().__init__(world, name, servers)
        self._wishes = Wishes(world, policy, name)
        self._left = calls
        self._gap = (0.005, 2 * world.profile.seconds[1] / max(calls, 1))

    async def live(self) -> None:
        """Make calls, one after another."""
        world, name = self.world, self.name
        while self._left > 0 and not world.healed:
            self._left -= 1
            await anyio.sleep(world.choices.span(f"{name} gap", *self._gap))
            number = world.choices.weigh(f"{name} verb", _ODDS)
            verb = _VERBS[number - 1] if number else None
            if (
                verb is not None
                and world.known
                and (world.profile.removes or verb not in _REMOVALS)
            ):
                await (self._watch() if verb == "watch" else self._change(verb))
            else:
                wishes = [self._wishes.next() for _ in range(1 + self._more())]
                await submit(self, wishes)

    def _more(self) -> int:
        """Return how many jobs more a request asks for: mostly none."""
        return self.world.choices.weigh(f"{self.name} asks for more", (0.1, 0.05))

    async def _change(self, verb: e.Verb) -> None:
        world, name = self.world, self.name
        job_id: str | None = world.choices.pick(f"{name} which job", world.known)
        queue_name = world.choices.pick(f"{name} which queue", world.profile.queues)
        edit = Edit(id=job_id or "")
        if verb == "redrive":
            job_id = await self._find_dead(queue_name)
            if job_id is None:
                return
        elif verb == "update":
            edit = self._edit(edit.id)
        elif verb in {"purge", "pause", "resume"}:
            job_id = None
        call = world.call_name()
        self.record(
            e.Ask(
                at=self.at,
                actor=name,
                call=call,
                verb=verb,
                job_id=job_id,
                queue=queue_name if job_id is None else None,
                payload=None if edit.payload is None else digest(edit.payload),
                due_changes=edit.delay is not None,
            )
        )
        await self._make(call, _question(verb, job_id or "", queue_name, edit))

    async def _make(
        self,
        call: str,
        question: Callable[[JobQueue], Coroutine[object, object, Job | None]],
        *,
        wait: float = 0.0,
    ) -> None:
        try:
            job = await self.ask(question, wait=wait)
        except IN_DOUBT:
            self.record(e.Unknown(at=self.at, actor=self.name, call=call))
        except (*NOT_DONE, ActorqError) as error:
            refuse(self, call, error)
        else:
            if job is None and wait:
                # Nothing has changed: that shows no job.
                return
            shown = None if job is None else seen(job)
            self.record(e.Answered(at=self.at, actor=self.name, call=call, seen=shown))

    def _edit(self, job_id: str) -> Edit:
        world, name = self.world, self.name
        match world.choices.pick(f"{name} edits", ("priority", "payload", "later", "now")):
            case "payload":
                return Edit(id=job_id, payload=f"{name} rewrites {world.call_name()}")
            case "later":
                return Edit(id=job_id, delay=1.0)
            case "now":
                return Edit(id=job_id, delay=0.0)
            case _:
                return Edit(id=job_id, priority=7)

    async def _watch(self) -> None:
        """Look at a job, and wait until it is not any more what it was then."""
        job_id = self.world.choices.pick(f"{self.name} watches", self.world.known)
        versions: list[int] = []

        async def look(queue: JobQueue) -> Job | None:
            job = await queue.get_job(job_id)
            versions.append(job.version)
            return job

        async def wait(queue: JobQueue) -> Job | None:
            return await queue.wait_for_change(job_id, versions[0], WATCHES_S)

        await self._make(self._asks_about(job_id), look)
        if versions:
            await self._make(self._asks_about(job_id), wait, wait=WATCHES_S)

    def _asks_about(self, job_id: str) -> str:
        call = self.world.call_name()
        self.record(e.Ask(at=self.at, actor=self.name, call=call, verb="look", job_id=job_id))
        return call

    async def _find_dead(self, queue_name: str) -> str | None:
        query = ListJobs(queue_name=queue_name, statuses=frozenset({Status.DEAD}), limit=10)
        try:
            page = await self.ask(lambda queue: queue.list_jobs(query))
        except (*IN_DOUBT, *NOT_DONE):
            return None
        if not page.jobs:
            return None
        return self.world.choices.pick(f"{self.name} which dead", page.jobs).id


_Call: TypeAlias = e.Verb | Literal["watch"]

_CALLS: Final[tuple[tuple[_Call, float], ...]] = (
    ("watch", 0.03),
    ("look", 0.04),
    ("cancel", 0.08),
    ("redrive", 0.06),
    ("update", 0.05),
    ("delete", 0.02),
    ("purge", 0.01),
    ("pause", 0.02),
    ("resume", 0.03),
)
_VERBS: Final[tuple[_Call, ...]] = tuple(verb for verb, _ in _CALLS)
_ODDS: Final = tuple(odds for _, odds in _CALLS)
_REMOVALS: Final = frozenset({"delete", "purge"})


def _question(
    verb: e.Verb, job_id: str, queue_name: str, edit: Edit
) -> Callable[[JobQueue], Coroutine[object, object, Job | None]]:
    async def ask(queue: JobQueue) -> Job | None:
        match verb:
            case "look":
                return await queue.get_job(job_id)
            case "cancel":
                return await queue.cancel(job_id)
            case "redrive":
                return await queue.redrive(job_id)
            case "update":
                return await queue.update_job(edit)
            case "delete":
                return await queue.delete(job_id)
            case "purge":
                await queue.purge(queue_name, ENDED_WITHOUT)
            case "pause":
                await queue.pause(queue_name)
            case "resume":
                await queue.resume(queue_name)
        return None

    return ask
