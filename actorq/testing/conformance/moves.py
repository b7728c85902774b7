"""The moves of the model test: what Hypothesis draws, in small worlds where things meet."""

from __future__ import annotations

from typing import Final, NamedTuple

from hypothesis import strategies as st

from actorq.core.commands import ListJobs
from actorq.core.job import Backoff, Delivery, OnDuplicate
from actorq.core.policy import Policy, Retention
from actorq.core.queue import QueueEdit
from actorq.core.retry import Failure
from actorq.core.transitions import Status
from actorq.core.workflow import OnParentFailure

QUEUES: Final = ("a", "b")

POLICY: Final = Policy(
    visibility_timeout=2.0,
    max_expiries=1,
    max_interruptions=1,
    max_extension=4.0,
    idempotency_ttl=5.0,
    retention=Retention(completed=2.0, dead=4.0, cancelled=1.0),
)
"""Small numbers, so that every bound is met within a few steps."""


class Pick(NamedTuple):
    """Which job is meant: of the latest ones, and if it is ``apt`` of those that may be meant."""

    place: int
    apt: bool


class Move(NamedTuple):
    """A request as it is drawn; ``expires_in`` and ``due_in`` are seconds from now."""

    queue: str
    payload: str
    priority: int
    max_retries: int
    delivery: Delivery
    delay: float | None
    due_in: float | None
    expires_in: float | None
    backoff: Backoff
    dedupe_key: str | None
    dedupe_window: float
    on_duplicate: OnDuplicate
    idempotency_key: str | None
    parents: tuple[Pick, ...] = ()
    on_parent_failure: OnParentFailure = OnParentFailure.CANCEL


class Change(NamedTuple):
    """An edit as it is drawn: of a job, based on its version or on an older one."""

    job: Pick
    versions_back: int | None
    payload: str | None
    priority: int | None
    max_retries: int | None
    delay: float | None
    due_in: float | None
    metadata: dict[str, str] | None


class Call(NamedTuple):
    """A holder's call as it is drawn: on which job, with which of its tokens."""

    job: Pick
    how: str


queues = st.sampled_from(["a", "a", "b"])
picks = st.builds(
    Pick, st.integers(min_value=0, max_value=9), st.sampled_from([True] * 4 + [False])
)
seconds = st.sampled_from([None, 1.0, 2.0])
limits = st.sampled_from([100, 2, 1])
names = st.lists(st.sampled_from([*QUEUES, "none"]), max_size=4)
counts = st.integers(min_value=1, max_value=3)
two_queues = st.lists(queues, min_size=1, max_size=2)
endings = st.sampled_from(["ack", "fail", "fail", "release"])
delays = st.sampled_from([0.0, 0.0, 1.0])
texts = st.sampled_from([None, "1", '{"é":[null,0.5]}'])
progresses = st.sampled_from([None, "0.5", '"half"'])
sides = st.sampled_from(["", "from", "to"])
pauses = st.sampled_from([0.0, 0.0, 0.1, 0.5, 1.0, 1.3, 2.5, 6.0])

calls = st.builds(
    Call, picks, st.sampled_from(["right"] * 5 + ["again"] * 2 + ["old"] * 2 + ["none", "wrong"])
)
batches = st.lists(calls, min_size=1, max_size=3)
some_picks = st.lists(picks, min_size=1, max_size=3)

changes = st.lists(
    st.builds(
        Change,
        job=picks,
        versions_back=st.sampled_from([None, None, 0, 1]),
        payload=st.sampled_from([None, "edited"]),
        priority=st.sampled_from([None, -1, 1]),
        max_retries=st.sampled_from([None, 0]),
        delay=st.sampled_from([None, None, 0.0, 1.0]),
        due_in=st.sampled_from([None, None, -1.0, 2.0]),
        metadata=st.sampled_from([None, {}, {"k": "v", "l": ""}]),
    ),
    min_size=1,
    max_size=2,
)

_plain = st.builds(
    Move,
    queue=queues,
    payload=st.sampled_from(["", "x", "\0é😀"]),
    priority=st.integers(-1, 1),
    max_retries=st.sampled_from([0, 1, 3]),
    delivery=st.sampled_from(
        [Delivery.AT_LEAST_ONCE, Delivery.AT_LEAST_ONCE, Delivery.AT_MOST_ONCE]
    ),
    delay=st.sampled_from([None] * 4 + [0.0, 1.0, 2.5]),
    due_in=st.none(),
    expires_in=st.sampled_from([None] * 4 + [1.0, 3.0]),
    backoff=st.sampled_from([Backoff(0.5, 2.0, 2.0), Backoff(0.0, 1.0, 0.0)]),
    dedupe_key=st.sampled_from([None, "k", "l"]),
    dedupe_window=st.sampled_from([0.0, 0.0, 3.0]),
    on_duplicate=st.sampled_from(OnDuplicate),
    idempotency_key=st.none(),
    parents=st.just(()),
    on_parent_failure=st.just(OnParentFailure.CANCEL),
)
_timed = _plain.flatmap(
    lambda move: st.sampled_from([-1.0, 0.0, 2.0]).map(
        lambda due_in: move._replace(delay=None, due_in=due_in)
    )
)


def _with_parents(move: Move, parents: list[Pick], policy: OnParentFailure) -> Move:
    """Let a move depend on jobs that are there."""
    return move._replace(parents=tuple(parents), on_parent_failure=policy)


_children = st.builds(
    _with_parents,
    _plain,
    st.lists(picks, min_size=1, max_size=3),
    st.sampled_from(OnParentFailure),
)


def _with_key(move: Move, key: str) -> Move:
    """Put an idempotency key on a move, and make it plain enough to come again just so."""
    return move._replace(
        idempotency_key=key, expires_in=None, max_retries=3, payload=move.payload[:1], priority=0,
        backoff=Backoff(), delay=None, delivery=Delivery.AT_LEAST_ONCE,
    )  # fmt: skip


_named = st.builds(_with_key, _plain, st.sampled_from(["i", "j"]))
_moves = st.one_of(_plain, _named, _timed, _children)
moves = st.lists(_moves, min_size=1, max_size=3)
many_moves = st.lists(_moves, min_size=3, max_size=9)

failures = st.builds(
    Failure,
    reason=st.sampled_from(["", "broken \0"]),
    retryable=st.sampled_from([True, True, True, False]),
    retry_in=st.sampled_from([None, 0.0, 1.0]),
)

queue_edits = st.one_of(
    st.builds(QueueEdit, queue_name=queues, paused=st.sampled_from([False] * 3 + [True])),
    st.builds(QueueEdit, queue_name=queues, max_running=st.sampled_from([None, None, 2, 1, 0])),
    st.builds(QueueEdit, queue_name=queues, max_depth=st.sampled_from([None, None, 4, 1])),
    st.builds(QueueEdit, queue_name=queues, visibility_timeout=seconds),
    st.builds(
        QueueEdit,
        queue_name=queues,
        retention=st.sampled_from([None, Retention(completed=0.5, max_dead=1, max_cancelled=0)]),
    ),
)
some_queue_edits = st.lists(queue_edits, min_size=1, max_size=2)

status_sets = st.one_of(
    st.frozensets(st.sampled_from(Status), min_size=1, max_size=2), st.just(frozenset(Status))
)

listings = st.builds(
    ListJobs,
    queue_name=st.one_of(st.none(), queues),
    statuses=st.one_of(st.just(frozenset[Status]()), status_sets),
    metadata=st.sampled_from([{}, {}, {"k": "v"}]),
    error=st.sampled_from([None, None, "broken", "lease"]),
    limit=st.sampled_from([1, 3, 200]),
)
