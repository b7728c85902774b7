"""The workers of a crowd: they claim, start, settle and renew; late, twice, or never."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from actorq.core.commands import Ack, Claim, Extend, Fail, Release
from actorq.core.job import Job
from actorq.core.results import Settled
from actorq.core.retry import Failure
from actorq.errors import ActorqError, LeaseLost, NotFound, NotLeased
from actorq.testing.invariants import events as e
from tests.testing.invariants.crowd import QUEUES
from tests.testing.invariants.told_ledger import shown

if TYPE_CHECKING:
    from tests.testing.invariants.crowd import Crowd

OUTCOMES: Final[dict[str, e.Outcome]] = {
    LeaseLost.code: "lease_lost",
    NotLeased.code: "not_leased",
    NotFound.code: "not_found",
}


@dataclass(slots=True)
class Held:
    """A job that a worker was given, and how far it has come."""

    job: Job
    token: str
    state: Literal["taken", "started", "returned", "raised", "stopped", "settled"] = "taken"
    word: Ack | Fail | Release | None = None


class Workers:
    """All workers as one. Whoever is given a job may go on with it long after its lease."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.held: list[Held] = []
        self._tokens = 0

    def claim(self, queue: str | None = None, wait: float = 0.0) -> None:
        """Ask for jobs."""
        crowd, rng = self.crowd, self.crowd.rng
        queue = queue or rng.choice(QUEUES)
        slots = rng.choice((1, 1, 3))
        visibility = rng.choice((1.0, 1.0, 2.5))
        self._tokens += slots
        tokens = tuple(f"token-{self._tokens - slot}" for slot in range(slots))
        claim = Claim(queue_name=queue, worker_id="w", tokens=tokens, visibility_timeout=visibility)
        call = crowd.call()
        crowd.send(
            e.Claim(
                at=crowd.at,
                actor="worker-1",
                call=call,
                queue=queue,
                slots=slots,
                wait=wait,
                visibility=visibility,
            ),
            lambda: self._take(claim),
            lambda jobs: self._claimed(call, jobs),
            repeats=False,
            hand_back=self._hand_back,
        )

    def _take(self, claim: Claim) -> list[Job]:
        ledger = self.crowd.ledger
        ledger.step("claim")
        jobs = ledger.best(claim, ledger.now)
        pairs = zip(jobs, claim.tokens, strict=False)
        return [ledger.claim(job, claim, token, ledger.now) for job, token in pairs]

    def _hand_back(self, jobs: list[Job]) -> None:
        for job in jobs:
            assert job.lease is not None
            self._hold(Release(job.id, job.lease.token))

    def _claimed(self, call: str, jobs: list[Job]) -> e.Event:
        taken: list[e.Taken] = []
        for job in jobs:
            assert job.lease is not None
            self.held.append(Held(job, job.lease.token))
            self.crowd.known.append(job.id)
            taken.append(
                e.Taken(
                    job_id=job.id,
                    attempt=job.attempt,
                    token=job.lease.token,
                    visibility=job.lease.visibility_timeout,
                    queue=job.queue_name,
                    payload=e.digest(job.payload),
                    priority=job.priority,
                    delivery=job.delivery.value,
                )
            )
        return e.Claimed(at=self.crowd.at, actor="worker-1", call=call, jobs=tuple(taken))

    # ── work ────────────────────────────────────────────────────────────────────────────────────

    def work(self, held: Held | None = None, *, well: bool = False) -> None:
        """Go on with a job by one step; ``well`` does it as it should be, and no more."""
        if not self.held:
            return
        held = held or self.crowd.rng.choice(self.held[-6:])
        roll = 0.5 if well else self.crowd.rng.random()
        match held.state:
            case "taken" if roll < 0.15:
                self._settle(
                    held, Release(held.job.id, held.token, self.crowd.rng.choice((0.0, 0.4)))
                )
            case "taken":
                held.state = "started"
                self._record(e.Start, held)
            case "started" if roll < 0.2:
                self.renew(held)
            case "started":
                self._record(e.Effect, held)
                self._end(held, well=well)
            case "returned":
                self._settle(held, Ack(held.job.id, held.token, f'"{held.token}"'))
            case "raised":
                failure = Failure(retryable=roll > 0.1, retry_in=0.7 if roll < 0.4 else None)
                self._settle(held, Fail(held.job.id, held.token, failure))
            case "stopped" if held.job.delivery == "at_least_once":
                self._settle(held, Release(held.job.id, held.token))
            case "settled" if held.word is not None and roll < 0.5:
                # Told again: the answer was lost, or the worker does not trust it.
                self._settle(held, held.word)
            case _:
                pass

    def _end(self, held: Held, *, well: bool) -> None:
        how: Literal["returned", "raised", "stopped"] = "returned"
        if not well:
            how = self.crowd.rng.choice(("returned", "returned", "raised", "stopped"))
        held.state = how
        self.crowd.record(
            e.End(
                at=self.crowd.at,
                actor="worker-1",
                job_id=held.job.id,
                attempt=held.job.attempt,
                token=held.token,
                how=how,
            )
        )

    def _record(self, kind: type[e.Start | e.Effect], held: Held) -> None:
        self.crowd.record(
            kind(
                at=self.crowd.at,
                actor="worker-1",
                job_id=held.job.id,
                attempt=held.job.attempt,
                token=held.token,
            )
        )

    # ── a holder's calls ────────────────────────────────────────────────────────────────────────

    def settle_bare(self) -> None:
        """Settle whatever lease a job has, without a token."""
        job = self.crowd.any_job()
        if job is None or job.delivery == "at_most_once":
            return
        word = self.crowd.rng.choice((Ack(job.id), Fail(job.id), Release(job.id)))
        self._settle(Held(job, ""), word)

    def _settle(self, held: Held, word: Ack | Fail | Release) -> None:
        crowd, call = self.crowd, self.crowd.call()
        held.state, held.word = "settled", word
        action: e.Action
        result, delay = None, 0.0
        match word:
            case Ack(result=text):
                action, result = "ack", None if text is None else e.digest(text)
            case Fail(failure=failure):
                action, delay = "fail", failure.retry_in or 0.0
            case Release(delay=delay):
                action = "release"

        def told(answer: Settled | Job | ActorqError) -> e.Event:
            if not isinstance(answer, Settled):
                assert isinstance(answer, ActorqError)
                outcome = OUTCOMES[answer.code]
                return e.Settled(at=crowd.at, actor="worker-1", call=call, outcome=outcome)
            outcome = "already" if answer.repeated else "ok"
            seen = shown(answer.job, crowd.ledger.now)
            return e.Settled(at=crowd.at, actor="worker-1", call=call, outcome=outcome, seen=seen)

        crowd.send(
            e.Settle(
                at=crowd.at,
                actor="worker-1",
                call=call,
                job_id=word.id,
                action=action,
                token=word.token,
                result=result,
                delay=delay,
            ),
            lambda: self._hold(word),
            told,
        )

    def renew(self, held: Held) -> None:
        """Ask for more time."""
        crowd, call = self.crowd, self.crowd.call()
        seconds = crowd.rng.choice((None, 1.0, 0.5))
        word = Extend(held.job.id, held.token, seconds)

        def told(answer: Settled | Job | ActorqError) -> e.Event:
            if isinstance(answer, Job) and answer.lease is not None:
                granted = answer.lease.visibility_timeout
                return e.Renewed(
                    at=crowd.at, actor="worker-1", call=call, outcome="ok", visibility=granted
                )
            assert isinstance(answer, ActorqError)
            outcome = OUTCOMES[answer.code]
            return e.Renewed(at=crowd.at, actor="worker-1", call=call, outcome=outcome)

        crowd.send(
            e.Renew(
                at=crowd.at,
                actor="worker-1",
                call=call,
                job_id=held.job.id,
                token=held.token,
                visibility=seconds,
            ),
            lambda: self._hold(word),
            told,
        )

    def _hold(self, word: Ack | Fail | Release | Extend) -> Settled | Job | ActorqError:
        ledger = self.crowd.ledger
        ledger.step(type(word).__name__.lower())
        # The fall of a lease and the arrival of a word are in no order: here the word comes first.
        return ledger.hold(word, ledger.now)
