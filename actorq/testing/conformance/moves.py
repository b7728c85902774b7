"""The moves of the model test: what Hypothesis draws, in small worlds where things meet."""

from __future__ import annotations

from typing import Final, NamedTuple

from hypothesis import strategies as st

from actorq.core.job import Backoff, Delivery, OnDuplicate
from actorq.core.policy import Policy, Retention
from actorq.core.queue import QueueEdit
from actorq.core.retry import Failure
from actorq.core.transitions import Status

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


class Call(NamedTuple):
    """A holder's call as it is drawn: on which of the latest jobs, with which of its tokens."""

    job: int
    token: str


queues = st.sampled_from(QUEUES)
picks = st.integers(min_value=0, max_value=9)
seconds = st.sampled_from([None, 1.0, 2.0])
limits = st.sampled_from([1, 2, 100])
pauses = st.sampled_from([0.1, 0.5, 1.0, 1.3, 2.5, 6.0])

calls = st.builds(
    Call, picks, st.sampled_from(["right", "right", "right", "none", "wrong", "old", "old"])
)
batches = st.lists(calls, min_size=1, max_size=3)
some_picks = st.lists(picks, min_size=1, max_size=3)

_plain = st.builds(
    Move,
    queue=queues,
    payload=st.sampled_from(["", "x", "\0é😀"]),
    priority=st.integers(-1, 1),
    max_retries=st.sampled_from([0, 1, 3]),
    delivery=st.sampled_from(
        [Delivery.AT_LEAST_ONCE, Delivery.AT_LEAST_ONCE, Delivery.AT_MOST_ONCE]
    ),
    delay=st.sampled_from([None, None, 0.0, 1.0, 2.5]),
    due_in=st.none(),
    expires_in=st.sampled_from([None, None, None, 1.0, 3.0]),
    backoff=st.sampled_from([Backoff(0.5, 2.0, 2.0), Backoff(0.0, 1.0, 0.0)]),
    dedupe_key=st.sampled_from([None, "k", "l"]),
    dedupe_window=st.sampled_from([0.0, 0.0, 3.0]),
    on_duplicate=st.sampled_from(OnDuplicate),
    idempotency_key=st.none(),
)
_timed = _plain.flatmap(
    lambda move: st.sampled_from([-1.0, 0.0, 2.0]).map(
        lambda due_in: move._replace(delay=None, due_in=due_in)
    )
)
_named = st.builds(
    lambda move, key: move._replace(
        idempotency_key=key, expires_in=None, max_retries=3, payload=move.payload[:1], priority=0,
        backoff=Backoff(), delay=None, delivery=Delivery.AT_LEAST_ONCE,
    ),
    _plain,
    st.sampled_from(["i", "j"]),
)  # fmt: skip
moves = st.lists(st.one_of(_plain, _named, _timed), min_size=1, max_size=3)

failures = st.builds(
    Failure,
    reason=st.sampled_from(["", "broken \0"]),
    retryable=st.sampled_from([True, True, True, False]),
    retry_in=st.sampled_from([None, 0.0, 1.0]),
)

queue_edits = st.one_of(
    st.builds(QueueEdit, queue_name=queues, paused=st.booleans()),
    st.builds(QueueEdit, queue_name=queues, max_running=st.sampled_from([None, None, 0, 2])),
    st.builds(QueueEdit, queue_name=queues, max_depth=st.sampled_from([None, None, 1, 4])),
    st.builds(QueueEdit, queue_name=queues, visibility_timeout=seconds),
)

status_sets = st.frozensets(st.sampled_from(Status), min_size=1, max_size=2)
