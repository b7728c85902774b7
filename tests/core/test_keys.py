"""Idempotency keys: which requests are one request sent twice (contract §6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from actorq.core import intake
from actorq.core.job import Backoff, Delivery, Idempotency, NewJob, OnDuplicate
from actorq.core.keys import idempotency
from actorq.core.policy import Policy
from tests.core.records import ID as JOB_ID
from tests.core.records import new

if TYPE_CHECKING:
    from actorq.core.workflow import Parent

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


def test_a_plain_request_keeps_its_digests() -> None:
    """A store remembers digests for a day: a request that names no parents has those it always had (§6)."""
    asked = intake.new_job(
        "id", "q", "payload", Policy(), priority=7, metadata={"b": "2", "a": "1"}, delay=5,
        dedupe_key="d", idempotency_key="key", caller="me",
    )  # fmt: skip
    assert asked.idempotency == Idempotency(
        key="2c4a157ad159494c9dd0345ebf1705ddd5bb6d76249cad774b3e0819299ba642",
        fingerprint="1d917b2fb6141ec76c1e15c2752f4bcee8ad26474cc98a242e8562b1a05e9736",
    )


def fingerprint(*parents: Parent, **options: Any) -> str:  # noqa: ANN401 - any option of a job
    """Return the fingerprint of a job that depends on ``parents``."""
    made = intake.new_job(
        "id", "q", "", Policy(), depends_on=parents, idempotency_key="k", **options
    )
    assert made.idempotency is not None
    return made.idempotency.fingerprint


def test_parents_are_in_the_fingerprint() -> None:
    """Other parents, another order, or another policy for their failures: another request (§6, I11)."""
    one, two = JOB_ID, JOB_ID[:-1] + "2"
    prints = {
        fingerprint(),
        fingerprint(one),
        fingerprint(two),
        fingerprint(one, two),
        fingerprint(two, one),
        fingerprint(one, on_parent_failure="run"),
    }
    assert len(prints) == 6
    assert fingerprint(one, two, one) == fingerprint(one, two)
    assert fingerprint(replace(BASE, id=one), two) != fingerprint(one, two)


def test_a_new_parent_counts_by_its_own_key() -> None:
    """Its id is minted for each try: the same family asked for twice is the same request (§6)."""

    def parent(number: int, **options: Any) -> NewJob:  # noqa: ANN401 - any option of a job
        return intake.new_job(f"{JOB_ID[:-1]}{number}", "q", "", Policy(), **options)

    keyed = fingerprint(parent(1, idempotency_key="p"))
    assert keyed == fingerprint(parent(2, idempotency_key="p"))
    assert keyed != fingerprint(parent(2, idempotency_key="other"))
    assert keyed != fingerprint(parent(2, idempotency_key="p", priority=1))
    assert keyed != fingerprint(parent(1))
    assert fingerprint(parent(1)) == fingerprint(parent(2))
    assert fingerprint(parent(1)) != fingerprint(parent(1).id)
