"""The contest: who is measured when, what is compared, and how a load reads answers."""

from __future__ import annotations

import msgspec
import pytest

from benchmarks.contest import BenchmarkError, Contender, Contest, hold
from benchmarks.goals import judgements
from benchmarks.load import parse
from benchmarks.machine import this_machine
from benchmarks.plan import Plan, Shape
from benchmarks.report import Report, Verdict, lines, report, verdicts


def contest(order: list[str], figures: dict[str, list[float]]) -> Contest:
    def contender(name: str) -> Contender:
        left = iter(figures[name])

        def run() -> dict[str, float]:
            order.append(name)
            return {"jobs/s": next(left)}

        return Contender(name, run)

    subject, *floors = (contender(name) for name in figures)
    return Contest(
        scenario="enqueue",
        store="memory",
        door="embedded",
        shape="1 caller",
        subject=subject,
        floors=tuple(floors),
    )


def test_everybody_takes_turns() -> None:
    """In each round everybody is measured once, and each is first in turn."""
    order: list[str] = []
    hold(contest(order, {"a": [1, 1, 1], "b": [1, 1, 1], "c": [1, 1, 1]}), 3)
    assert order == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]


def test_ratios_are_those_of_a_round() -> None:
    """A machine that slows down to a tenth changes the figures and not the ratio."""
    (result,) = hold(contest([], {"a": [50, 5, 500], "b": [100, 10, 1000]}), 3)
    assert result.subject.median == 50
    assert result.ratio(result.floor("b")) == 0.5


def test_a_floor_of_zero_has_no_ratio() -> None:
    """Nothing is divided by zero, and the table says so."""
    (result,) = hold(contest([], {"a": [1], "b": [0]}), 1)
    assert result.ratio(result.floor("b")) is None
    (line,) = lines(result)
    assert line.endswith("-")


def test_the_report_is_complete(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The JSON has each round and each verdict, and says on what it was measured."""
    (result,) = hold(contest([], {"a": [1, 3], "b": [2, 2]}), 2)
    verdict = Verdict(goal="a", wanted=">= 1", measured="2", is_reached=True)
    plan = Plan(folder=tmp_path_factory.getbasetemp(), jobs=7, rounds=2)
    written = report(plan, this_machine(), [result], [verdict])
    read = msgspec.json.decode(written, type=Report)
    assert (read.jobs, read.rounds, read.loop) == (7, 2, "asyncio")
    assert read.results[0].rounds == [1, 3]
    assert read.results[0].floors[0].ratio == 1
    assert read.goals == [verdict]
    assert read.machine.cores >= 1


def test_a_missed_goal_is_seen() -> None:
    """The table of verdicts says which goal is missed."""
    goals = [
        Verdict(goal="one", wanted=">= 25 %", measured="30 %", is_reached=True),
        Verdict(goal="two", wanted=">= 25 %", measured="20 %", is_reached=False),
    ]
    reached, missed = verdicts(goals)
    assert reached.split()[0] == "reached"
    assert missed.split()[0] == "MISSED"
    assert len(judgements()) > 0


def test_shapes_cut_jobs_into_calls() -> None:
    """Every job is in one call, and no call has more than the batch."""
    assert Shape(batch=100).sizes(250) == [100, 100, 50]
    assert Shape(callers=10).sizes(3) == [1, 1, 1]
    assert str(Shape(callers=1_000)) == "1,000 callers"
    assert str(Shape(callers=10, batch=100)) == "10 callers, batches of 100"


def test_an_answer_in_pieces() -> None:
    """An answer counts once it is whole; names of headers have any case."""
    whole = b"HTTP/1.1 201 \r\nCONTENT-length: 5\r\n\r\nhello"
    for size in range(len(whole)):
        assert parse(bytearray(whole[:size])) is None
    answer = parse(bytearray(whole))
    assert answer is not None
    assert (answer.status, answer.body, answer.is_last) == (201, b"hello", False)


def test_a_last_answer_is_known() -> None:
    """A server that ends its connection says so, and the load makes another."""
    answer = parse(bytearray(b"HTTP/1.1 200 \r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
    assert answer is not None
    assert answer.is_last


def test_an_answer_without_a_body() -> None:
    """204 has no length; any other answer must say its length."""
    answer = parse(bytearray(b"HTTP/1.1 204 \r\n\r\n"))
    assert answer is not None
    assert answer.body == b""
    with pytest.raises(BenchmarkError, match="length"):
        parse(bytearray(b"HTTP/1.1 200 \r\ntransfer-encoding: chunked\r\n\r\n"))
