"""The record (contract §1): every field comes back as it went in, at the bounds too (I15)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import pytest

from actorq.core import bounds
from actorq.core.commands import Ack, Edit, Extend, Fail, ListJobs, Report
from actorq.core.instants import LATEST_US, SECOND_US
from actorq.core.job import DEFAULT_BACKOFF, Backoff, Delivery, create
from actorq.core.retry import Failure
from actorq.core.transitions import Status
from actorq.errors import NotFound
from actorq.testing.conformance.answers import (
    answered,
    created,
    ids,
    refusal,
    settled,
    token_of,
)
from actorq.testing.conformance.bench import QUEUE, Wish

if TYPE_CHECKING:
    from actorq.testing.conformance.bench import Bench

PAYLOADS: Final = {
    "empty": "",
    "json": '{"a": [1, 2.50, null],  "b": "\\u0000"}',
    "not-json": "{not json at all",
    "nul": "before\0after\0",
    "only-nul": "\0",
    "line-ends": "one\r\ntwo\rthree\n\u2028\u2029\x85",
    "controls": "".join(map(chr, range(32))) + "\x7f",
    "emoji": "👩‍👩‍👧‍👦🏴󠁧󠁢󠁳󠁣󠁴󠁿😀",
    "not-normalised": "e\u0301 é ﬁ Å Å",
    "right-to-left": "\u202eשלום\u202c مرحبا",  # noqa: RUF001 - it is meant to be Hebrew
    "byte-order-mark": "\ufeffx",
    "noncharacters": "\ufffe\uffff\U0010ffff",
    "quotes": "'; DROP TABLE jobs; -- \" ` \\ %s $1 ? :x {}",
    "spaces": "  \t trailing  ",
    "one-mebibyte": "x" * 1_048_576,
    "one-mebibyte-wide": "😀" * 262_144,
}

EXTREMES: Final[dict[str, Wish]] = {
    "lowest priority": {"priority": bounds.PRIORITY_MIN},
    "highest priority": {"priority": bounds.PRIORITY_MAX},
    "no retries": {"max_retries": 0},
    "most retries": {"max_retries": bounds.MAX_RETRIES},
    "longest queue name": {"queue_name": "q" * bounds.MAX_QUEUE_NAME},
    "every kind of queue name": {"queue_name": "_Az09_.:-..--::"},
    "upper case queue": {"queue_name": "WORK"},
    "longest task": {"task": "😀" * bounds.MAX_TASK},
    "longest dedupe key": {"dedupe_key": "é" * bounds.MAX_KEY},
    "longest delay": {"delay": bounds.MAX_DELAY_S},
    "earliest due": {"available_at": 0},
    "due to the microsecond": {"available_at": 1_893_456_000_123_457},
    "latest due": {"available_at": LATEST_US},
    "latest expiry": {"expires_at": LATEST_US},
    "shortest timeout": {"timeout": 0.001},
    "longest timeout": {"timeout": bounds.MAX_DELAY_S},
    "smallest backoff": {"backoff": Backoff(0.0, 1.0, 0.0)},
    "largest backoff": {"backoff": Backoff(bounds.MAX_DELAY_S, 1_000.0, bounds.MAX_DELAY_S)},
    "odd backoff": {"backoff": Backoff(0.1, 1.1, 0.3)},
    "longest window": {"dedupe_key": "k", "dedupe_window": bounds.MAX_DELAY_S},
    "much metadata": {"metadata": {f"{n:0>128}": "é" * 2_048 for n in range(64)}},
    "odd metadata": {
        "metadata": {"$ne": "", "a.b": "'\"\\", "é😀": "\n", " ": "null", "__x__": "{}"}
    },
}


class TestRecord:
    """What is written is what is read, from every verb that gives jobs out."""

    def test_every_field_comes_back(self, bench: Bench) -> None:
        """The record is exactly what core makes of the request at the store's instant (§1)."""
        new = bench.new(
            payload='{"x": 1}', priority=-5, max_retries=7, delivery=Delivery.AT_MOST_ONCE,
            delay=2.5, metadata={"user": "ü", "n": "1"}, task="mail.send",
            backoff=Backoff(0.5, 3.0, 77.25), timeout=12.125, expires_at=bench.now() + 900 * SECOND_US,
            dedupe_key="k", dedupe_window=33.5,
        )  # fmt: skip
        job = bench.enqueue(new).job
        assert job == create(new, job.created_at)
        assert bench.get(job) == job
        assert bench.backend.list_jobs(ListJobs()).jobs == (job,)

    def test_defaults_come_back(self, bench: Bench) -> None:
        """A job that says nothing more than it must has the defaults of the contract (§1)."""
        job = bench.put(payload="p")
        assert bench.get(job) == job
        assert (job.status, job.priority, job.max_retries) == (Status.PENDING, 0, 3)
        assert (job.delivery, job.backoff) == (Delivery.AT_LEAST_ONCE, DEFAULT_BACKOFF)
        assert (job.attempt, job.version, job.metadata, job.errors) == (0, 1, {}, ())
        assert job.available_at == job.created_at == job.updated_at

    @pytest.mark.parametrize("name", EXTREMES)
    def test_the_bounds_come_back(self, bench: Bench, name: str) -> None:
        """Every value at the edge of what the contract allows is kept as it is (§1, I15)."""
        new = bench.new(**EXTREMES[name])
        job = bench.enqueue(new).job
        assert job == create(new, job.created_at)
        assert bench.get(job) == job
        query = ListJobs(queue_name=new.queue_name)
        assert bench.backend.list_jobs(query).jobs == (job,)

    @pytest.mark.parametrize("name", PAYLOADS)
    def test_payloads_come_back(self, bench: Bench, name: str) -> None:
        """Bytes out are bytes in: from enqueue, read, listing, claim, settlement and edit (I15)."""
        payload = PAYLOADS[name]
        job = bench.put(payload=payload)
        assert job.payload == payload
        assert bench.get(job).payload == payload
        assert bench.backend.list_jobs(ListJobs()).jobs[0].payload == payload
        assert bench.take(job).payload == payload
        assert settled(bench.ack(job.id)).job.payload == payload
        other = bench.put(payload="before")
        answered(bench.backend.update_job([Edit(id=other.id, payload=payload)])[0])
        assert bench.get(other).payload == payload

    @pytest.mark.parametrize(
        "text", ["null", '"\\u0000"', '{"k":[1,true,"é😀"]}', "12345678901234567890123", "0.1"]
    )
    def test_results_and_progress_come_back(self, bench: Bench, text: str) -> None:
        """A result and a progress report are the JSON values that the holder gave (§1)."""
        job = bench.put()
        token = token_of(bench.take(job))
        told = answered(bench.backend.report([Report(job.id, token, text)])[0])
        ended = settled(bench.ack(job.id, token, text)).job
        for read in (told.progress, ended.progress, ended.result, bench.get(job).result):
            assert read is not None
            assert msgspec.json.decode(read) == msgspec.json.decode(text)

    def test_a_batch_keeps_its_order(self, bench: Bench) -> None:
        """Results come one per item, in the order of the items (architecture, rule 1)."""
        wishes = [bench.new(payload=str(number)) for number in range(300)]
        wishes.reverse()
        answers = bench.backend.enqueue(wishes)
        made = [created(answer).payload for answer in answers]
        assert made == [new.payload for new in wishes]
        read = bench.backend.get_job([new.id for new in wishes])
        assert [job.payload for job in read if job is not None] == made

    def test_thousands_are_one_batch(self, bench: Bench) -> None:
        """A batch may have thousands of items in every verb that a server gathers them for (rule 3)."""
        jobs = bench.put_many(2_500)
        taken = bench.claim(2_500).jobs
        assert ids(taken) == ids(jobs)
        backend = bench.backend
        assert len(backend.find_claims([token_of(job) for job in taken])) == 2_500
        told = backend.report([Report(job.id, token_of(job), "1") for job in taken])
        assert [answered(answer).progress for answer in told] == ["1"] * 2_500
        renewed = backend.extend([Extend(job.id, token_of(job)) for job in taken])
        assert ids([answered(answer) for answer in renewed]) == ids(jobs)
        half, rest = taken[:1_250], taken[1_250:]
        done = backend.ack([Ack(job.id, token_of(job)) for job in half])
        dead = backend.fail(
            [Fail(job.id, token_of(job), Failure("x", retryable=False)) for job in rest]
        )
        assert {settled(answer).job.status for answer in done} == {Status.COMPLETED}
        assert {settled(answer).job.status for answer in dead} == {Status.DEAD}
        back = backend.redrive(ids(rest))
        assert ids([answered(answer) for answer in back]) == ids(rest)
        cancelled = backend.cancel(ids(rest))
        assert {answered(answer).status for answer in cancelled} == {Status.CANCELLED}
        assert len(backend.delete(ids(jobs))) == bench.stats().pruned == 2_500

    def test_an_empty_batch_is_nothing(self, bench: Bench) -> None:
        """Every verb answers an empty batch with an empty list (architecture, rule 1)."""
        backend = bench.backend
        for verb in (backend.enqueue, backend.dequeue, backend.ack, backend.fail, backend.release,
                     backend.extend, backend.report, backend.cancel, backend.redrive,
                     backend.get_job, backend.update_job, backend.delete, backend.find_claims,
                     backend.get_queue_length, backend.update_queue):  # fmt: skip
            assert verb([]) == []
        assert backend.list_queues([]) == []
        assert backend.list_queues() == []

    def test_the_same_id_twice_is_one_job(self, bench: Bench) -> None:
        """A repeated enqueue finds its own job, as it now stands, and writes nothing (§1, I1)."""
        new = bench.new(dedupe_key="k")
        job = bench.enqueue(new).job
        assert bench.put(dedupe_key="other").id != job.id
        again, third = bench.backend.enqueue([new, new])
        assert again == third == bench.enqueue(new)
        assert bench.enqueue(new).job == job
        taken = bench.take(job)
        repeat = bench.enqueue(new)
        assert (repeat.outcome, repeat.job) == ("created", taken)
        assert bench.stats().accepted == 2

    def test_a_record_is_nobodys_to_change(self, bench: Bench) -> None:
        """What a caller does to the map that it gave, or was given, changes no record (I15)."""
        metadata = {"user": "a"}
        new = bench.new(metadata=metadata)
        given = [bench.enqueue(new).job, bench.get(new.id), bench.take()]
        given += [answered(bench.backend.cancel([new.id])[0]), settled(bench.ack(new.id)).job]
        metadata["user"] = "b"
        for job in given:
            job.metadata["user"] = "c"
        assert bench.get(new.id).metadata == {"user": "a"}

    def test_a_job_that_is_not_there(self, bench: Bench) -> None:
        """A well-formed id that names no job reads as None and is refused by every write (§4)."""
        known, unknown = bench.put(), bench.mint.mint()
        backend = bench.backend
        assert backend.get_job([unknown, known.id, unknown]) == [None, known, None]
        for answer in (bench.ack(unknown), bench.fail(unknown, "t"), bench.release(unknown),
                       *backend.extend([Extend(unknown)]), *backend.cancel([unknown]),
                       *backend.report([Report(unknown, "t", "1")]), *backend.redrive([unknown]),
                       *backend.update_job([Edit(id=unknown)]), *backend.delete([unknown])):  # fmt: skip
            assert refusal(answer, NotFound).job_id == unknown

    def test_a_refused_item_does_not_touch_its_neighbours(self, bench: Bench) -> None:
        """In one batch each item succeeds or is refused by itself, in order (architecture, rule 1)."""
        first, second = bench.put_many(2)
        answers = bench.backend.cancel([first.id, bench.mint.mint(), second.id, first.id])
        assert [type(answer).__name__ for answer in answers] == ["Job", "NotFound", "Job", "Job"]
        assert bench.stats().counts[Status.CANCELLED] == 2

    def test_an_accepted_job_outlives_the_program(self, bench: Bench) -> None:
        """What a verb has answered is still there when the store is opened again (I1)."""
        waiting, taken, ended = bench.put(), bench.put(priority=2), bench.put(priority=3)
        bench.ack(bench.take(ended).id)
        held = bench.take(taken)
        bench.reopen()
        assert bench.get(waiting) == waiting
        assert bench.get(ended).status is Status.COMPLETED
        assert bench.get(held) == held
        settled(bench.ack(held.id, token_of(held)))
        bench.take(waiting)

    def test_the_queue_name_decides_where_a_job_is(self, bench: Bench) -> None:
        """Queues whose names differ only in case or a suffix share nothing (I16)."""
        names = [QUEUE, QUEUE.upper(), f"{QUEUE}:", f"{QUEUE}.x", f"{QUEUE}%", f"{QUEUE}_"]
        legal = [name for name in names if "%" not in name]
        jobs = {name: bench.put(queue_name=name) for name in legal}
        for name in legal:
            assert bench.length(name) == 1
            assert ids(bench.claim(5, queue=name).jobs) == [jobs[name].id]
