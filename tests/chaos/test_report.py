"""The verdict on a chaos run, its exit code's meaning, and what is left in its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from actorq.testing.invariants.events import (
    Accepted,
    Audited,
    Claim,
    Claimed,
    Counted,
    Event,
    Healed,
    Listed,
    Quiet,
    Request,
    Seen,
    Settle,
    Settled,
    Start,
    Submit,
    Taken,
    Terms,
)
from actorq.testing.invariants.history import History
from benchmarks.chaos.conductor import Performance
from benchmarks.chaos.diary import Made
from benchmarks.chaos.judgement import judge_run
from benchmarks.chaos.plan import FaultSet, Plan
from benchmarks.chaos.report import Report
from benchmarks.chaos.words import lines

if TYPE_CHECKING:
    from pathlib import Path

QUEUE = "q"
LEASE = "lease"
TAKEN = Taken(job_id="job", attempt=1, token=LEASE, visibility=2.0, queue=QUEUE, payload="p")
SEEN = Seen(job_id="job", queue=QUEUE, status="completed", payload="p", attempt=1)


def story(*, is_found: bool) -> list[Event]:
    """Let one job be accepted, done and acknowledged; at the end it is there, or not."""
    request = Request(queue=QUEUE, payload="p", idempotency_key="k")
    found = [Audited(at=9.2, actor="c", since=9.1, job_id="job", seen=SEEN)] if is_found else []
    ids = ("job",) if is_found else ()
    count = len(ids)
    return [
        Terms(at=0.0, actor="c"),
        Submit(at=1.0, actor="p", call="1", request=request),
        Accepted(at=1.1, actor="p", call="1", job_id="job", status="pending"),
        Claim(at=1.2, actor="w", call="2", queue=QUEUE),
        Claimed(at=1.3, actor="w", call="2", jobs=(TAKEN,)),
        Start(at=1.4, actor="w", job_id="job", attempt=1, token=LEASE),
        Settle(at=1.5, actor="w", call="3", job_id="job", action="ack", token=LEASE),
        Settled(at=1.6, actor="w", call="3", outcome="ok"),
        Healed(at=8.0, actor="c"),
        Quiet(at=9.0, actor="c"),
        *found,
        Listed(at=9.3, actor="c", since=9.1, queue=QUEUE, job_ids=ids),
        Counted(
            at=9.4,
            actor="c",
            since=9.1,
            queue=QUEUE,
            counts={"completed": count},
            accepted=count,
            pruned=0,
        ),
    ]


def judged(
    folder: Path, *complaints: str, is_found: bool = True, faults: FaultSet = "usual"
) -> Report:
    """Judge a run of eight seconds in which one worker was killed."""
    (folder / "notes").mkdir()
    History(story(is_found=is_found)).save(folder / "notes" / "all.jsonl")
    plan = Plan(store="redis", seconds=8.0, seed=1, out=folder, faults=faults)
    death = Made(kind="kill worker", targets=("x",), began=2.0, ended=2.5)
    performance = Performance(
        began=0.0,
        healed=8.0,
        ended=9.5,
        made=[death],
        complaints=list(complaints),
        server_mb=50.0,
    )
    return judge_run(plan, performance)


def test_a_run_that_kept_everything(tmp_path: Path) -> None:
    """Without a violation and a complaint every promise was kept, and the text says so."""
    report = judged(tmp_path)
    assert report.is_kept, report.violations
    assert (report.totals.asked, report.totals.accepted, report.totals.completed) == (1, 1, 1)
    text = "\n".join(lines(report))
    assert "BROKEN" not in text
    assert "0 acknowledged jobs lost" in text


def test_a_lost_job(tmp_path: Path) -> None:
    """A job that was acknowledged and is nowhere breaks the first promise (I1)."""
    report = judged(tmp_path, is_found=False)
    assert not report.is_kept
    assert report.promises["acknowledged jobs lost"] > 0
    assert any(line.lstrip().startswith("BROKEN") for line in lines(report))


def test_a_fail_over_that_may_lose(tmp_path: Path) -> None:
    """What a replica lacked that took over is beyond the promise: it is counted, and no failure."""
    report = judged(tmp_path, is_found=False, faults="failover")
    assert report.promises["acknowledged jobs lost"] > 0
    assert report.is_kept


@pytest.mark.parametrize("faults", ["usual", "failover"])
def test_a_complaint(tmp_path: Path, faults: FaultSet) -> None:
    """A process that ended by itself fails the run, whatever the histories say."""
    report = judged(tmp_path, "server-0.1 ended by itself", faults=faults)
    assert not report.is_kept
    assert "server-0.1 ended by itself" in "\n".join(lines(report))


def test_what_is_left(tmp_path: Path) -> None:
    """The folder holds the report as JSON and as text, and the timeline, and names no folder."""
    report = judged(tmp_path)
    written = (tmp_path / "report.json").read_bytes()
    assert msgspec.json.decode(written, type=Report) == report
    assert (tmp_path / "report.txt").read_text("utf-8").splitlines() == list(lines(report))
    assert (tmp_path / "timeline.svg").read_text("utf-8").startswith("<svg")
    assert str(tmp_path).encode() not in written
