"""What is written is what the server reads, and what the server writes is what is read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from actorq import Backoff, Delivery, ErrorKind, InvalidInput, NewJob, OnDuplicate, PrunedReplay
from actorq.core.instants import to_us
from actorq.core.job import create
from actorq.core.policy import Policy
from actorq.core.wire import bodies, requests
from actorq.core.wire.decoding import Reader
from actorq.core.wire.views import job_view, pruned_view
from actorq.sdk.client import BadAnswer, ClientOptions, reading, renewals, writing
from actorq.sdk.client.calls import Calls
from actorq.sdk.client.exchange import Answer, Subject
from actorq.testing.clock import START_US
from tests.core.records import ID, backoffs, jobs, new

if TYPE_CHECKING:
    from actorq import Job

CALLS: Final = Calls(ClientOptions())
ANY: Final = Subject()
OTHER: Final = "018f0000-0000-7000-8000-000000000002"
_BODY: Final = Reader(bodies.EnqueueBody)


def as_told(job: Job) -> Job:
    """Return what HTTP tells of a record: all but three things."""
    lease = job.lease
    if lease is not None:
        claimed_at = lease.expires_at - to_us(lease.visibility_timeout)
        lease = replace(lease, claimed_at=claimed_at)
    return replace(job, lease=lease, settled_token=None, settled_by=None, dedupe_until=None)


def ok(view: object, status: int = 200) -> Answer:
    """Return the answer that shows ``view``."""
    return Answer(status, {}, msgspec.json.encode(view), 0.0)


@given(jobs())
def test_a_job_is_read_as_it_was_written(job: Job) -> None:
    """A record that a server shows to its holder is the same record at the client (§1)."""
    assert reading.job(ok(job_view(job, holder=True)), ANY) == as_told(job)


wishes = st.fixed_dictionaries(
    {},
    optional={
        "priority": st.integers(-(2**31), 2**31 - 1),
        "max_retries": st.integers(0, 1_000),
        "delivery": st.sampled_from(Delivery),
        "metadata": st.dictionaries(st.text("aß/~", min_size=1), st.text("aß"), max_size=3),
        "task": st.text("aß.", min_size=1, max_size=9),
        "backoff": backoffs,
        "timeout": st.floats(0.001, 1e6),
        "expires_at": st.integers(0, 2**52),
        "dedupe_key": st.text("aß", min_size=1, max_size=9),
        "on_duplicate": st.sampled_from(OnDuplicate),
        "depends_on": st.sampled_from([(), (ID,), (ID, OTHER)]),
    },
)
dues = st.sampled_from([{}, {"delay": 0.0}, {"delay": 1.5}, {"available_at": START_US + 1}])


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=9), wishes, dues)
def test_a_job_is_asked_for_as_it_was_made(
    payload: str, wish: dict[str, Any], due: dict[str, Any]
) -> None:
    """The server makes the very job of a body that the client made the body of (§1)."""
    made = CALLS.new_job("q", payload, **wish, **due)
    body = _BODY.read(writing.job_body(made, None))
    read = requests.new_job(body, made.id, Policy(), header_key=None, caller="")
    assert made == writing.ClientJob(**msgspec.structs.asdict(read), key=writing.key_of(made))


def test_a_plain_job_is_a_short_body() -> None:
    """What a job has by default is not sent (§1)."""
    body = writing.job_body(CALLS.new_job("q", "x"), None)
    assert body == b'{"queue_name":"q","payload":"x"}'


def test_a_job_that_was_made_elsewhere_has_a_key_too() -> None:
    """It is its id, or what is left of an idempotency key of its own (§6)."""
    assert writing.key_of(new()) == ID
    assert writing.key_of(CALLS.new_job("q", "x", idempotency_key="mine")) == "mine"
    one = CALLS.new_job("q", "x")
    assert writing.key_of(one) == one.id
    assert one.id != CALLS.new_job("q", "x").id
    assert isinstance(one, NewJob)


def test_whose_key_it_is_says_the_server() -> None:
    """A client does not name the caller within whom its keys count (§6)."""
    with pytest.raises(InvalidInput, match="/caller"):
        CALLS.new_job("q", "x", caller="me")


@given(jobs())
def test_what_a_newer_server_adds_is_passed_over(job: Job) -> None:
    """Unknown members, kinds of entries and reasons of a newer server do not hide a job (§1)."""
    shown = json.loads(msgspec.json.encode(job_view(job, holder=True)))
    entry = {"attempt": 1, "worker": "w", "time": "2026-01-01T00:00:00Z", "message": ""}
    shown["errors"].append({**entry, "kind": "new_kind", "more": 1})
    newer = {**shown, "new_member": {"a": 1}, "dead_reason": "new_reason"}
    assert reading.job(ok(newer), ANY) == replace(as_told(job), dead_reason=None)


def test_what_an_older_server_leaves_out_has_its_default() -> None:
    """Of the twelve members that a job always had, all others follow (§1)."""
    names = "id queue_name status payload priority max_retries available_at created_at updated_at"
    job = replace(as_told(_plain()), backoff=Backoff())
    shown = json.loads(msgspec.json.encode(job_view(job)))
    older = {name: shown[name] for name in names.split()}
    assert reading.job(ok(older), ANY).id == job.id


def _plain() -> Job:
    return create(new(), START_US)


NONSENSE: Final = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b"<html></html>",
    b'{"id": "x"',
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"results": [], "leases": [], "jobs": 7}',
]


@pytest.mark.parametrize("body", NONSENSE, ids=lambda body: repr(body[:20]))
def test_nonsense_is_named(body: bytes) -> None:
    """An answer that cannot be read is ``BadAnswer``, with its beginning, and nothing else (§9)."""
    answer = Answer(200, {"content-type": "text/plain"}, body, 0.0)
    for read in (reading.job, reading.claimed, reading.enqueued):
        if read is reading.claimed and body == b"[]":
            continue
        with pytest.raises(BadAnswer) as caught:
            read(answer, ANY)
        assert len(str(caught.value)) < 2_000
    with pytest.raises(BadAnswer):
        reading.page(answer)
    with pytest.raises(BadAnswer):
        renewals.read(answer, [ID])


def test_an_answer_about_something_else_is_named() -> None:
    """A job that nobody asked for, or a claimed one without a lease, is a bad answer (I16)."""
    answer = ok(job_view(_plain()))
    with pytest.raises(BadAnswer, match="about job"):
        reading.job(answer, Subject("another"))
    with pytest.raises(BadAnswer, match="about queue"):
        reading.enqueued(answer, Subject(queue_name="another"))
    with pytest.raises(BadAnswer, match="without a lease"):
        reading.claimed(ok([job_view(_plain())]), ANY)
    with pytest.raises(BadAnswer, match="others answered"):
        renewals.read(ok({"leases": [{"id": "another", "status": "ok"}]}), [ID])


@pytest.mark.parametrize(
    "change",
    [
        {"created_at": "2026-01-01T00:00:00"},
        {"created_at": "0001-01-01T00:00:00Z"},
        {"created_at": 7},
        {"status": "sleeping"},
        {"version": "one"},
        {"payload": None},
        {"lease": {"worker_id": "w"}},
    ],
    ids=str,
)
def test_a_job_with_a_wrong_member_is_no_job(change: dict[str, object]) -> None:
    """A member of another type, or an instant that is none, makes the answer a bad one (§1)."""
    shown = json.loads(msgspec.json.encode(job_view(_plain())))
    with pytest.raises(BadAnswer):
        reading.job(ok({**shown, **change}), ANY)


def test_a_pruned_job_is_what_is_left_of_it() -> None:
    """The replay of a job that is gone tells its id, its queue and when it was made (§6)."""
    replay = PrunedReplay(ID, "q", START_US)
    answer = replace(ok(pruned_view(replay), 201), headers={"idempotent-replayed": "true"})
    assert reading.enqueued(answer, ANY) == replay


def test_all_kinds_of_entries_are_known() -> None:
    """Each kind that this version can write, it can read (§1)."""
    shown = json.loads(msgspec.json.encode(job_view(_plain())))
    entry = {"attempt": 1, "worker": "w", "time": "2026-01-01T00:00:00Z", "message": "m"}
    shown["errors"] = [{**entry, "kind": kind.value} for kind in ErrorKind]
    assert [one.kind for one in reading.job(ok(shown), ANY).errors] == list(ErrorKind)
