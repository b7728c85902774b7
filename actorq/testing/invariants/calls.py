"""What clients and workers record: their calls before they are sent, the outcomes once they are known."""

from __future__ import annotations

from typing import Literal, TypeAlias

from actorq.testing.invariants.records import Base, Request, Seen, Status, Taken

Action: TypeAlias = Literal["ack", "fail", "release"]
Verb: TypeAlias = Literal[
    "look", "cancel", "redrive", "update", "delete", "purge", "pause", "resume"
]  # fmt: skip
Outcome: TypeAlias = Literal["ok", "already", "lease_lost", "not_leased", "not_found", "unknown"]
"""What became of a settlement or a renewal. ``ok`` also stands for ``already`` at a door that does not
tell them apart; ``unknown`` for every answer that leaves open whether it took effect."""


# ── clients ─────────────────────────────────────────────────────────────────────────────────────


class Submit(Base, frozen=True):
    """A client is about to ask for a job."""

    call: str
    request: Request


class Accepted(Base, frozen=True):
    """A client was told that its job is written: it must never be lost from now on (I1).

    ``outcome`` is what the door said (``duplicate``: another job holds the dedupe key and is the
    answer), ``replayed`` that the idempotency key was known. ``status`` is the job's, as
    answered; None for the replay of one that was pruned since.
    """

    call: str
    job_id: str
    status: Status | None = None
    outcome: Literal["created", "duplicate", "replaced"] = "created"
    replayed: bool = False


class Refused(Base, frozen=True):
    """A call (of any kind) was refused, and has for certain changed nothing.

    ``code`` is the problem's stable word; ``job_id`` the job that the refusal names, if any (the holder
    of a dedupe key). An answer that leaves the effect open, as 500 or 503 may, is ``Unknown``.
    """

    call: str
    code: str
    job_id: str | None = None


class Unknown(Base, frozen=True):
    """The outcome of a call (of any kind) will never be known to its caller."""

    call: str


class Ask(Base, frozen=True):
    """A client is about to call any other verb, on a job or on a queue.

    ``update`` is any edit of a waiting job; ``payload`` the digest of the new payload, if it has one;
    ``due_changes`` is set when the due time is edited. ``purge`` and ``delete`` remove jobs.
    """

    call: str
    verb: Verb
    job_id: str | None = None
    queue: str | None = None
    payload: str | None = None
    due_changes: bool = False


class Answered(Base, frozen=True):
    """An ``Ask`` succeeded; ``seen`` is the job in the answer, None when it holds none."""

    call: str
    seen: Seen | None = None


# ── workers ─────────────────────────────────────────────────────────────────────────────────────


class Claim(Base, frozen=True):
    """A worker is about to ask for up to ``slots`` jobs, and to wait ``wait`` seconds for one."""

    call: str
    queue: str
    slots: int = 1
    wait: float = 0.0
    visibility: float | None = None


class Claimed(Base, frozen=True):
    """A worker has the answer: its jobs in the order given, none when it came back empty."""

    call: str
    jobs: tuple[Taken, ...] = ()
    paused: bool = False


class Start(Base, frozen=True):
    """A worker is about to run the handler of a job: recorded before its first line."""

    job_id: str
    attempt: int
    token: str


class Effect(Base, frozen=True):
    """The handler did what the job is for, outside of actorq: recorded by the handler itself."""

    job_id: str
    attempt: int
    token: str


class End(Base, frozen=True):
    """The handler is over, before anything is settled. A killed worker records none.

    ``raised`` is the handler's own failure (its own time limit too); ``stopped`` when the
    worker ended it: shutdown, a lost lease, a cancellation. That is never a failure (I8).
    """

    job_id: str
    attempt: int
    token: str
    how: Literal["returned", "raised", "stopped"]


class Settle(Base, frozen=True):
    """A holder is about to settle; without a ``token`` whatever lease the job has then.

    ``delay`` is seconds: of a release, or the ``retry_in`` of a failure. ``result`` is a digest.
    """

    call: str
    job_id: str
    action: Action
    token: str | None = None
    result: str | None = None
    delay: float = 0.0


class Settled(Base, frozen=True):
    """What the holder was told; ``seen`` is the job in the answer, if it was shown."""

    call: str
    outcome: Outcome
    seen: Seen | None = None


class Renew(Base, frozen=True):
    """A holder is about to renew its lease, for ``visibility`` seconds (None: as before)."""

    call: str
    job_id: str
    token: str | None = None
    visibility: float | None = None


class Renewed(Base, frozen=True):
    """What the holder was told: the seconds granted, and the directive."""

    call: str
    outcome: Outcome
    visibility: float | None = None
    directive: Literal["continue", "cancel", "drain"] | None = None
