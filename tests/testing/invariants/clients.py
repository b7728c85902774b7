"""The clients of a crowd: they submit, repeat themselves, and ask for all sorts of things."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from actorq.core.commands import Edit
from actorq.core.job import Backoff, Delivery, Idempotency, NewJob, OnDuplicate
from actorq.core.results import Enqueued, Outcome, PrunedReplay
from actorq.core.transitions import Status
from actorq.errors import ActorqError, DuplicateJob, Overloaded
from actorq.testing.invariants import events as e
from tests.testing.invariants.crowd import QUEUES
from tests.testing.invariants.told_ledger import shown

if TYPE_CHECKING:
    from actorq.core.job import Job
    from tests.testing.invariants.crowd import Crowd

BACKOFF = Backoff(0.2, 2.0, 1.0)


class Clients:
    """All clients as one: what each of them does does not depend on who it is."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self._asked: list[e.Request] = []
        self._payloads = 0
        self._texts: dict[str, str] = {}
        """Payloads by their digest."""

    def submit(self) -> None:
        """Ask for a job, or for one again."""
        crowd, rng = self.crowd, self.crowd.rng
        if self._asked and rng.random() < 0.25:
            request = rng.choice(self._asked[-5:])
        else:
            request = self._new_request()
            if request.idempotency_key or request.job_id:
                self._asked.append(request)
        new = self._new_job(request)
        call = crowd.call()

        answers: list[Enqueued | PrunedReplay | ActorqError] = []

        def act() -> Enqueued | PrunedReplay | ActorqError:
            crowd.ledger.step("enqueue")
            if new.id in crowd.ledger.removed:
                # No network keeps a call for longer than a store keeps a job.
                return answers[0] if answers else Overloaded()
            answers.append(crowd.ledger.enqueue(new, crowd.ledger.now))
            return answers[-1]

        crowd.send(
            e.Submit(at=crowd.at, actor="client-1", call=call, request=request),
            act,
            lambda answer: self._accepted(call, answer),
        )

    def _new_request(self) -> e.Request:
        crowd, rng = self.crowd, self.crowd.rng
        self._payloads += 1
        text = f"payload {self._payloads}"
        self._texts[e.digest(text)] = text
        dedupe_key = rng.choice((None, None, "k"))
        return e.Request(
            queue=rng.choice(QUEUES),
            payload=e.digest(text),
            priority=rng.choice((-1, 0, 0, 0, 1)),
            delivery=rng.choice(("at_least_once", "at_least_once", "at_most_once")),
            max_retries=rng.choice((0, 1, 3)),
            delay=rng.choice((0.0, 0.0, 0.0, 0.5, 2.0)),
            expires_in=rng.choice((None, None, None, None, 0.6, 3.0)),
            job_id=rng.choice((None, None, crowd.mint())),
            dedupe_key=dedupe_key,
            dedupe_window=rng.choice((0.0, 0.0, 2.0, 9.0)) if dedupe_key else 0.0,
            on_duplicate=rng.choice(("return", "reject", "replace")) if dedupe_key else "return",
            idempotency_key=rng.choice((None, None, f"i{self._payloads}", "i")),
            scope=rng.choice(("", "", "other")),
        )

    def _new_job(self, request: e.Request) -> NewJob:
        now = self.crowd.ledger.now
        expires_in = request.expires_in
        essence = replace(request, job_id=None)
        key = f"{request.scope} {request.queue} {request.idempotency_key}"
        return NewJob(
            id=request.job_id or self.crowd.mint(),
            queue_name=request.queue,
            payload=self._texts[request.payload],
            priority=request.priority,
            max_retries=request.max_retries,
            delivery=Delivery(request.delivery),
            delay=request.delay,
            backoff=BACKOFF,
            expires_at=None if expires_in is None else now + round(expires_in * 1e6),
            dedupe_key=request.dedupe_key,
            dedupe_window=request.dedupe_window,
            on_duplicate=OnDuplicate(request.on_duplicate),
            idempotency=Idempotency(key, repr(essence)) if request.idempotency_key else None,
        )

    def _accepted(self, call: str, answer: Enqueued | PrunedReplay | ActorqError) -> e.Event:
        at = self.crowd.at
        match answer:
            case Enqueued(job=job, outcome=outcome, replayed=replayed):
                self.crowd.known.append(job.id)
                status: e.Status | None = job.status.value
                job_id = job.id
            case PrunedReplay(id=job_id, outcome=outcome):
                status, replayed = None, True
            case DuplicateJob(job_id=holder):
                return e.Refused(
                    at=at, actor="client-1", call=call, code=answer.code, job_id=holder
                )
            case _:
                return e.Refused(at=at, actor="client-1", call=call, code=answer.code)
        return e.Accepted(
            at=at,
            actor="client-1",
            call=call,
            job_id=job_id,
            status=status,
            outcome=Outcome(outcome).value,
            replayed=replayed,
        )

    # ── other verbs ─────────────────────────────────────────────────────────────────────────────

    def ask(self) -> None:
        """Ask for something about a job, or a queue."""
        job = self.crowd.any_job()
        if job is None:
            return
        rng = self.crowd.rng
        verb: e.Verb = rng.choice(
            ("look", "look", "cancel", "redrive", "redrive", "update", "delete", "purge")
        )
        if verb == "purge":
            self._ask(e.Ask(at=0.0, actor="", call="", verb=verb, queue=job.queue_name), job)
            return
        payload = f"edited {self.crowd.call()}" if verb == "update" else None
        due_changes = verb == "update" and rng.random() < 0.5
        ask = e.Ask(
            at=0.0,
            actor="",
            call="",
            verb=verb,
            job_id=job.id,
            payload=payload and e.digest(payload),
            due_changes=due_changes,
        )
        delay = rng.choice((0.0, 0.5)) if due_changes else None
        priority = rng.choice((None, 0, 2))
        edit = Edit(id=job.id, payload=payload, delay=delay, priority=priority)
        self._ask(ask, job, edit)

    def _ask(self, ask: e.Ask, job: Job, edit: Edit | None = None) -> None:
        crowd, call = self.crowd, self.crowd.call()

        def told(answer: Job | ActorqError | str) -> e.Event:
            if isinstance(answer, ActorqError):
                return e.Refused(at=crowd.at, actor="client-2", call=call, code=answer.code)
            seen = None if isinstance(answer, str) else shown(answer, crowd.ledger.now)
            if ask.verb == "delete":
                seen = None
            return e.Answered(at=crowd.at, actor="client-2", call=call, seen=seen)

        crowd.send(
            replace(ask, at=crowd.at, actor="client-2", call=call),
            lambda: self._act(ask.verb, job, edit),
            told,
            repeats=ask.verb in {"look", "cancel"},
        )

    def _act(self, verb: e.Verb, job: Job, edit: Edit | None) -> Any:  # noqa: ANN401 - any answer
        ledger = self.crowd.ledger
        ledger.step("edit" if verb == "update" else verb)
        now = ledger.now
        match verb:
            case "look":
                return ledger.jobs.get(job.id, "gone")
            case "cancel":
                return ledger.cancel(job.id, now)
            case "redrive":
                return ledger.redrive(job.id, now)
            case "delete":
                return ledger.delete(job.id, now)
            case "update":
                assert edit is not None
                return ledger.edit(edit, now)
            case _:
                return self._purge(job.queue_name)

    def _purge(self, queue: str) -> str:
        ledger = self.crowd.ledger
        for job in list(ledger.jobs.values()):
            if job.queue_name == queue and job.status is not Status.RUNNING:
                ledger.remove(job.id)
        return "purged"
