"""A client: asks for jobs, looks at them, changes its mind, and tries again when nobody answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio

from actorq.core.commands import Edit, ListJobs
from actorq.core.results import Enqueued, PrunedReplay
from actorq.core.transitions import Status
from actorq.errors import ActorqError
from actorq.testing.invariants import events as e
from actorq.testing.invariants.records import digest
from actorq.testing.simulation.caller import IN_DOUBT, NOT_DONE, Caller, code_of
from actorq.testing.simulation.requests import Wish, Wishes
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

INSISTS_S: Final = 8.0
"""For how long a request is made that is known again, until its client gives up."""


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
                await self._change(verb)
            else:
                await self._submit(self._wishes.next())

    # ── asking for jobs ─────────────────────────────────────────────────────────────────────────

    async def _submit(self, wish: Wish) -> None:
        until = self.at + (INSISTS_S if wish.can_repeat else 0.0)
        while True:
            call = self.world.call_name()
            self.record(e.Submit(at=self.at, actor=self.name, call=call, request=wish.request))
            try:
                answer = await self.ask(
                    lambda queue: _enqueue(queue, wish), may_double=wish.has_key
                )
            except NOT_DONE as error:
                self._refused(call, error)
            except IN_DOUBT:
                self.record(e.Unknown(at=self.at, actor=self.name, call=call))
            else:
                self._accepted(call, answer)
                return
            await self.rest()
            if self.at >= until:
                return

    def _accepted(self, call: str, answer: Enqueued | PrunedReplay | ActorqError) -> None:
        if isinstance(answer, ActorqError):
            self._refused(call, answer)
        elif isinstance(answer, PrunedReplay):
            # The request was done once, and its job is over and gone since.
            self.record(
                e.Refused(
                    at=self.at, actor=self.name, call=call, code="not_found", job_id=answer.id
                )
            )
        else:
            self.world.known.append(answer.job.id)
            self.record(
                e.Accepted(
                    at=self.at,
                    actor=self.name,
                    call=call,
                    job_id=answer.job.id,
                    status=answer.job.status.value,
                    outcome=answer.outcome.value,
                    replayed=answer.replayed,
                )
            )

    def _refused(self, call: str, error: Exception) -> None:
        job_id: str | None = getattr(error, "job_id", None)
        self.record(
            e.Refused(at=self.at, actor=self.name, call=call, code=code_of(error), job_id=job_id)
        )

    # ── all other calls ─────────────────────────────────────────────────────────────────────────

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
        self, call: str, question: Callable[[JobQueue], Coroutine[object, object, Job | None]]
    ) -> None:
        try:
            job = await self.ask(question)
        except IN_DOUBT:
            self.record(e.Unknown(at=self.at, actor=self.name, call=call))
        except (*NOT_DONE, ActorqError) as error:
            self._refused(call, error)
        else:
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

    async def _find_dead(self, queue_name: str) -> str | None:
        query = ListJobs(queue_name=queue_name, statuses=frozenset({Status.DEAD}), limit=10)
        try:
            page = await self.ask(lambda queue: queue.list_jobs(query))
        except (*IN_DOUBT, *NOT_DONE):
            return None
        if not page.jobs:
            return None
        return self.world.choices.pick(f"{self.name} which dead", page.jobs).id


_CALLS: Final[tuple[tuple[e.Verb, float], ...]] = (
    ("look", 0.06),
    ("cancel", 0.08),
    ("redrive", 0.06),
    ("update", 0.05),
    ("delete", 0.02),
    ("purge", 0.01),
    ("pause", 0.02),
    ("resume", 0.03),
)
_VERBS: Final[tuple[e.Verb, ...]] = tuple(verb for verb, _ in _CALLS)
_ODDS: Final = tuple(odds for _, odds in _CALLS)
_REMOVALS: Final = frozenset({"delete", "purge"})


async def _enqueue(queue: JobQueue, wish: Wish) -> Enqueued | PrunedReplay | ActorqError:
    job = wish.job or queue.new_job(wish.request.queue, wish.payload, **wish.options)
    return (await queue.enqueue_many([job]))[0]


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
