"""What a history is: events in order, in memory and in files; and what is none."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
import pytest

from actorq.testing.invariants import BadHistory, History, judge
from actorq.testing.invariants import events as e
from actorq.testing.invariants.history import to_line
from tests.testing.invariants.runs import hostile_run
from tests.testing.invariants.scribe import Scribe

if TYPE_CHECKING:
    from pathlib import Path


def test_a_history_survives_its_file(tmp_path: Path) -> None:
    """What is saved is what is loaded, every kind of event in it."""
    history = hostile_run(1)
    history.append(e.Measured(at=99.0, actor="audit", what="tasks", value=1.0, bound=2.0))
    history.save(tmp_path / "history.jsonl")
    assert list(History.load(tmp_path / "history.jsonl")) == list(history)


def test_the_files_of_several_recorders_are_one_history(tmp_path: Path) -> None:
    """Files are merged by time: a call in one may be seen by another in the next."""
    events = [e.Healed(at=float(n), actor=f"recorder-{n % 2}") for n in range(6)]
    History(events[::2]).save(tmp_path / "even")
    History(events[1::2]).save(tmp_path / "odd")
    assert list(History.load(tmp_path / "even", tmp_path / "odd")) == events


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    """A recorder may be killed in the middle of a line; any other line must be an event."""
    path = tmp_path / "history.jsonl"
    whole = e.Quiet(at=1.0, actor="scribe")
    path.write_bytes(to_line(whole) + to_line(whole)[:-5])
    assert list(History.load(path)) == [whole]
    path.write_bytes(b'{"type":"surprise"}\n')
    with pytest.raises(msgspec.ValidationError):
        list(History.load(path))


def test_threads_may_record_out_of_order() -> None:
    """Events are judged in the order of their time, whatever the order of their appending."""
    h = Scribe()
    h.submit()
    h.claim()
    h.settle("ack")
    h.see("completed")
    assert judge(History(reversed(h.events))) == []


def test_two_calls_of_one_name_are_refused() -> None:
    """A recorder's mistake is no violation: nobody can be judged by it."""
    h = Scribe()
    h.note(e.Claim, "worker", call="call-1", queue="q")
    h.note(e.Claim, "worker", call="call-1", queue="q")
    with pytest.raises(BadHistory, match="call-1"):
        judge(h.events)


@pytest.mark.parametrize("kind", ["unheard", "twice", "of another kind"])
def test_an_outcome_without_its_call_is_refused(kind: str) -> None:
    """Each call has one outcome at most, and of its own kind."""
    h = Scribe()
    if kind == "twice":
        h.submit()
        h.accept("call-1", "a")
    elif kind == "of another kind":
        h.note(e.Claim, "worker", call="call-1", queue="q")
        h.accept("call-1", "a")
    else:
        h.note(e.Unknown, "client", call="call-1")
    with pytest.raises(BadHistory):
        judge(h.events)


def test_a_long_history_is_judged_in_no_time() -> None:
    """A chaos run's history is judged while one waits: 20,000 events in a second, at worst."""
    h = Scribe()
    for number in range(2_500):
        job_id, token = f"{number:06}", f"t{number}"
        h.submit(job_id, dedupe_key=f"k{number % 50}" if number % 10 == 0 else None)
        h.claim(job_id, token)
        h.work(e.Start, job_id, token)
        h.work(e.End, job_id, token, how="returned")
        h.settle("ack", token, job_id=job_id)
    began = time.process_time()
    assert judge(h.events) == []
    assert time.process_time() - began < 1.0
