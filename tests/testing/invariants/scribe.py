"""Writes histories by hand: each method records a call and what came of it, a moment later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from actorq.testing.invariants import events as e

if TYPE_CHECKING:
    from collections.abc import Callable

TICK_S: Final = 0.01
"""What passes with every event."""

OLD: Final = "t0"
FIRST: Final = "t1"
SECOND: Final = "t2"
"""Tokens: of a claim that nobody knows, of the first one, of the one after that."""

NEVER: Final = 253_402_300_799_999_999
"""The due time of a job that waits for others."""


class Scribe:
    """A history as it grows. Jobs are of the queue ``q``, and hold the payload ``p`` and their id."""

    def __init__(self, **terms: object) -> None:
        self.at = 0.0
        self.events: list[e.Event] = []
        self._calls = 0
        self._jobs: dict[str, e.Record] = {}
        self._steps = 0
        self.note(e.Terms, "scribe", **{"slack": 0.0, **terms})

    def note(self, kind: Callable[..., e.Event], actor: str, **fields: object) -> None:
        """Record any event."""
        self.at += TICK_S
        self.events.append(kind(at=self.at, actor=actor, **fields))

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.at += seconds

    def call(self) -> str:
        """Name a call."""
        self._calls += 1
        return f"call-{self._calls}"

    # ── clients ─────────────────────────────────────────────────────────────────────────────────

    def submit(self, job_id: str = "a", **fields: object) -> e.Request:
        """Ask for a job, and have it accepted."""
        request = replace(e.Request(queue="q", payload=e.digest(f"p{job_id}")), **fields)
        call = self.ask_for(request)
        self.accept(call, job_id, status="delayed" if request.delay else "pending")
        return request

    def ask_for(self, request: e.Request) -> str:
        """Ask for a job; nobody knows what comes of it, unless it is said."""
        call = self.call()
        self.note(e.Submit, "client", call=call, request=request)
        return call

    def accept(self, call: str, job_id: str, **fields: object) -> None:
        """Answer a request."""
        self.note(e.Accepted, "client", call=call, job_id=job_id, **fields)

    def refuse(self, call: str, code: str = "queue_full", job_id: str | None = None) -> None:
        """Refuse a call."""
        self.note(e.Refused, "client", call=call, code=code, job_id=job_id)

    def ask(self, verb: e.Verb, job_id: str = "a", **fields: object) -> None:
        """Ask anything else about a job, and be answered."""
        call = self.call()
        self.note(e.Ask, "client", call=call, verb=verb, job_id=job_id, **fields)
        self.note(e.Answered, "client", call=call)

    # ── workers ─────────────────────────────────────────────────────────────────────────────────

    def claim(
        self, job_id: str = "a", token: str = FIRST, attempt: int = 1, **fields: object
    ) -> None:
        """Claim a job, and get it for 10 seconds."""
        call = self.call()
        self.note(e.Claim, "worker", call=call, queue="q", visibility=10.0)
        taken = self.taken(job_id, token, attempt, **fields)
        self.note(e.Claimed, "worker", call=call, jobs=(taken,))

    def taken(self, job_id: str, token: str, attempt: int, **fields: object) -> e.Taken:
        """Return a job as a claim gives it."""
        plain = e.Taken(
            job_id=job_id,
            attempt=attempt,
            token=token,
            visibility=10.0,
            queue="q",
            payload=e.digest(f"p{job_id}"),
        )
        return replace(plain, **fields)

    def work(
        self, kind: Callable[..., e.Event], job_id: str = "a", token: str = FIRST, **fields: object
    ) -> None:
        """Record what a handler does."""
        self.note(kind, "worker", **{"job_id": job_id, "attempt": 1, "token": token, **fields})

    def settle(
        self,
        action: e.Action,
        token: str | None = FIRST,
        outcome: e.Outcome = "ok",
        seen: e.Seen | None = None,
        **fields: object,
    ) -> None:
        """Settle the job ``a``, if no other is named."""
        call = self.call()
        settle = {"job_id": "a", "action": action, "token": token, **fields}
        self.note(e.Settle, "worker", call=call, **settle)
        self.note(e.Settled, "worker", call=call, outcome=outcome, seen=seen)

    def renew(self, token: str = FIRST, outcome: e.Outcome = "ok") -> None:
        """Renew the lease of the job ``a``."""
        call = self.call()
        self.note(e.Renew, "worker", call=call, job_id="a", token=token)
        self.note(e.Renewed, "worker", call=call, outcome=outcome)

    # ── onlookers ───────────────────────────────────────────────────────────────────────────────

    def see(self, status: e.Status | None, job_id: str = "a", **fields: object) -> None:
        """Read a job; None if there is none."""
        since = self.at + TICK_S / 2
        seen = None if status is None else self.seen(status, job_id, **fields)
        self.note(e.Audited, "audit", since=since, job_id=job_id, seen=seen)

    def seen(self, status: e.Status, job_id: str = "a", **fields: object) -> e.Seen:
        """Return a job as it was shown."""
        return replace(e.Seen(job_id=job_id, queue="q", status=status), **fields)

    def quiet(self) -> None:
        """Nothing moves any more."""
        self.note(e.Quiet, "scribe")

    def listed(self, *job_ids: str, status: e.Status | None = None) -> None:
        """List the jobs of the queue."""
        since = self.at + TICK_S / 2
        self.note(e.Listed, "audit", since=since, queue="q", job_ids=job_ids, status=status)

    def count(self, accepted: int, pruned: int = 0, **counts: int) -> None:
        """Read the figures of the queue."""
        since = self.at + TICK_S / 2
        self.note(
            e.Counted,
            "audit",
            since=since,
            queue="q",
            counts=counts,
            accepted=accepted,
            pruned=pruned,
        )

    # ── the store ───────────────────────────────────────────────────────────────────────────────

    def child(self, job_id: str, *parents: str, anyway: bool = False, due: int = NEVER) -> None:
        """Have the store write a job that waits for others, and then have its request accepted."""
        self.born(
            job_id,
            e.Request(
                queue="q",
                payload=e.digest(f"p{job_id}"),
                depends_on=parents,
                runs_anyway=anyway,
            ),
            status="delayed",
            due=due,
        )

    def born(self, job_id: str = "a", wish: e.Request | None = None, **fields: object) -> None:
        """Have the store write a job, and then have its request accepted."""
        plain = wish or e.Request(queue="q", payload=e.digest(f"p{job_id}"))
        job = e.Record(job_id=job_id, queue="q", status="pending", version=0, payload=plain.payload)
        job = self._jobs[job_id] = replace(job, **fields)
        call = self.ask_for(replace(plain, delivery=job.delivery, priority=job.priority))
        self.move("enqueue", job_id, before=None, **fields)
        self.accept(call, job_id, status="pending")

    def move(self, event: e.MoveEvent, job_id: str = "a", **fields: object) -> None:
        """Have the store commit a move: what is not said stays as it was."""
        old = self._jobs[job_id]
        before = fields.pop("before", old.status)
        store_time = fields.pop("store_time", None)
        job = self._jobs[job_id] = replace(old, **{"version": old.version + 1, **fields})
        self._steps += 1
        self.note(
            e.Move,
            "store",
            step=self._steps,
            store_time=round((self.at + TICK_S) * 1e6) if store_time is None else store_time,
            event=event,
            before=before,
            job=job,
        )

    def run(
        self, job_id: str = "a", token: str = FIRST, attempt: int = 1, **fields: object
    ) -> None:
        """Have the store give a job out, for 10 seconds."""
        until = round((self.at + TICK_S + 10.0) * 1e6)
        lease = {"status": "running", "token": token, "attempt": attempt, "lease_until": until}
        self.move("claim", job_id, **{**lease, **fields})

    def end(
        self, event: e.MoveEvent, status: e.Status, job_id: str = "a", **fields: object
    ) -> None:
        """Have the store end a lease."""
        self.move(event, job_id, status=status, token=None, lease_until=None, **fields)
