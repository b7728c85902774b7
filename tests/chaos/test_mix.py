"""The mix of jobs that a chaos run asks for."""

from __future__ import annotations

import msgspec
import pytest

from actorq.core.wire.bodies import EnqueueBody
from benchmarks.chaos.mix import Mix, Task, Wish, payload_of, task_of

COUNT = 4_000


@pytest.fixture(scope="module")
def wishes() -> list[Wish]:
    mix = Mix("seed")
    return [mix.next() for _ in range(COUNT)]


def share(wishes: list[Wish], wanted: list[bool]) -> float:
    return sum(wanted) / len(wishes)


def test_the_shares(wishes: list[Wish]) -> None:
    """A tenth at most once, a tenth failing, a fifth delayed, a tenth with a dedupe key, some repeated."""
    once = [wish.delivery == "at_most_once" for wish in wishes]
    assert share(wishes, once) == pytest.approx(0.1, abs=0.02)
    failing = [task_of(wish.payload).failures > 0 for wish in wishes]
    assert share(wishes, failing) == pytest.approx(0.1, abs=0.02)
    assert share(wishes, [wish.delay > 0 for wish in wishes]) == pytest.approx(0.2, abs=0.02)
    keyed = [wish.dedupe_key is not None for wish in wishes]
    assert share(wishes, keyed) == pytest.approx(0.1, abs=0.02)
    assert 0 < share(wishes, [wish.is_repeated for wish in wishes]) < 0.1


def test_keys_are_never_used_again(wishes: list[Wish]) -> None:
    """Each job has an idempotency key of its own, and the same seed draws the same jobs (I11)."""
    assert len({wish.key for wish in wishes}) == COUNT
    again = Mix("seed")
    assert [again.next() for _ in range(100)] == wishes[:100]


def test_a_body_is_what_a_server_reads(wishes: list[Wish]) -> None:
    """What is sent is a job as the contract has it, with nothing that a server does not know (§9)."""
    for wish in wishes[:200]:
        body = msgspec.convert(wish.body(), EnqueueBody)
        assert (body.payload, body.queue_name) == (wish.payload, wish.queue)


@pytest.mark.parametrize("text", ["", "a\nb", "zero \0 within", "漢字 🦊"])
def test_a_payload_tells_its_task(text: str) -> None:
    """The handler reads its task from the first line, whatever stands below (I15)."""
    task = Task(key="k", seconds=0.25, failures=2)
    assert task_of(payload_of(task, text)) == task
