"""Idempotency keys: which requests are one request sent twice (contract §6)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from actorq.core import intake
from actorq.core.job import Backoff, Delivery, NewJob, OnDuplicate
from actorq.core.keys import idempotency
from actorq.core.policy import Policy
from tests.core.records import new

BASE = new("id-1", "q", "payload")

CHANGES: dict[str, object] = {
    "payload": "other", "priority": 1, "max_retries": 4, "delivery": Delivery.AT_MOST_ONCE,
    "delay": 1.0, "available_at": 5, "metadata": {"a": "b"}, "task": "t", "backoff": Backoff(2.0),
    "timeout": 1.0, "expires_at": 9, "dedupe_key": "k", "dedupe_window": 1.0,
    "on_duplicate": OnDuplicate.REJECT,
}  # fmt: skip


@pytest.mark.parametrize("field", CHANGES)
def test_whatever_was_asked_is_in_the_fingerprint(field: str) -> None:
    """Another value of any field is another request, under the same key (§6, I11)."""
    first = idempotency(BASE, "me", "key")
    other = idempotency(replace(BASE, **{field: CHANGES[field]}), "me", "key")
    assert first.key == other.key
    assert first.fingerprint != other.fingerprint


def test_every_field_is_tried_here() -> None:
    """No field of a new job is forgotten by the test above, but those that are not asked for."""
    not_asked = {"id", "queue_name", "idempotency"}
    assert set(NewJob.__struct_fields__) - not_asked == set(CHANGES)


def test_the_id_is_no_part_of_it() -> None:
    """The server mints a new id for each try: it says nothing about the request (§6)."""
    again = replace(BASE, id="id-2")
    assert idempotency(BASE, "me", "key") == idempotency(again, "me", "key")


def test_a_key_is_scoped_by_caller_and_queue() -> None:
    """One tenant can neither probe nor replay another's request (§6, I16)."""
    elsewhere = replace(BASE, queue_name="p")
    scoped = {
        idempotency(job, caller, key).key
        for job in (BASE, elsewhere)
        for caller in ("me", "you")
        for key in ("key", "kez")
    }
    assert len(scoped) == 8


def test_parts_cannot_run_into_each_other() -> None:
    """The parts of a scope are kept apart, so that none can pass for another (I16)."""
    named = replace(BASE, queue_name="a")
    assert idempotency(named, "xa", "k").key != idempotency(named, "x", "ak").key
    assert idempotency(named, '","', "k").key != idempotency(named, "", '","k').key


def test_the_order_of_metadata_means_nothing() -> None:
    """A client that writes the same map in another order sends the same request (§6)."""
    first = replace(BASE, metadata={"a": "1", "b": "2"})
    second = replace(BASE, metadata={"b": "2", "a": "1"})
    assert idempotency(first, "me", "key") == idempotency(second, "me", "key")


def test_the_spelling_of_a_number_means_nothing() -> None:
    """A second is a second, whether an embedded caller writes 1 or 1.0 (§6)."""
    first, second = (
        intake.new_job(
            "id", "q", "", Policy(), delay=delay, backoff=Backoff(delay), idempotency_key="k"
        )
        for delay in (1, 1.0)
    )
    assert first.idempotency is not None
    assert first.idempotency == second.idempotency


def test_neither_key_nor_request_can_be_read_from_it() -> None:
    """Stores keep digests: 64 hexadecimal digits, whatever the key was (§6)."""
    named = idempotency(BASE, "me", "secret" * 40)
    assert all(len(digest) == 64 and int(digest, 16) for digest in (named.key, named.fingerprint))
