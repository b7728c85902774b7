"""Each scenario runs, on tiny numbers, and gives figures that can be: none of them is judged."""

from __future__ import annotations

import math
import re
import socket
from typing import TYPE_CHECKING

import msgspec
import pytest

from benchmarks.__main__ import main
from benchmarks.report import Report

if TYPE_CHECKING:
    from pathlib import Path

RATES = ["enqueue", "claim", "ack", "life"]


def run(folder: Path, *arguments: str) -> Report:
    """Run the benchmark as the command line does; return what it wrote."""
    written = folder / "report.json"
    few = ["--quick", "--jobs", "20", "--rounds", "1"]
    places = ["--folder", str(folder), "--json", str(written)]
    assert main([*arguments, *few, *places]) == 0
    text = written.read_text()
    assert str(folder) not in text
    assert re.search(rf"\b{re.escape(socket.gethostname())}\b", text) is None
    assert [path.name for path in folder.iterdir()] == ["report.json"], "no store is left behind"
    report = msgspec.json.decode(text, type=Report)
    assert report.results
    for row in report.results:
        for figures in (row.rounds, *(floor.rounds for floor in row.floors)):
            assert len(figures) == 1
            assert all(math.isfinite(figure) and figure >= 0 for figure in figures)
    return report


@pytest.mark.parametrize("scenario", RATES)
@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_rates_embedded(tmp_path: Path, scenario: str, store: str) -> None:
    """A rate is measured from 1 to 1,000 callers and in batches, each next to a floor."""
    report = run(tmp_path, "--scenario", scenario, "--store", store, "--door", "embedded")
    shapes = [row.shape for row in report.results]
    assert shapes == [
        "1 caller",
        "10 callers",
        "100 callers",
        "1,000 callers",
        "batches of 100",
        "batches of 500",
        "4 callers, batches of 100",
    ]
    assert all(row.unit == "jobs/s" and row.median > 0 for row in report.results)
    assert all(floor.ratio for row in report.results for floor in row.floors)
    assert all(row.floors for row in report.results)


@pytest.mark.parametrize(
    "store",
    [
        pytest.param("postgres", marks=pytest.mark.store("postgres")),
        pytest.param("redis", marks=pytest.mark.store("redis")),
    ],
)
def test_stores_of_their_own_process(tmp_path: Path, store: str) -> None:
    """PostgreSQL and Redis are measured next to their bare messages, in batches and one by one."""
    report = run(tmp_path, "--scenario", "enqueue", "--store", store, "--door", "embedded")
    one = next(row for row in report.results if row.shape == "100 callers")
    assert [floor.name for floor in one.floors] == [
        "bare messages, batches of 100",
        "bare messages, a job each, 25 connections",
        "store alone, batches of 100",
    ]
    assert all(floor.ratio for row in report.results for floor in row.floors)


@pytest.mark.parametrize("scenario", RATES)
def test_rates_over_http(tmp_path: Path, scenario: str) -> None:
    """A rate over HTTP has the echo of the same server beside it."""
    report = run(
        tmp_path,
        *("--scenario", scenario, "--store", "sqlite"),
        *("--door", "http", "--server", "hypercorn"),
    )
    rates = [row for row in report.results if row.unit == "jobs/s"]
    assert [row.shape for row in rates] == ["1 caller", "50 callers", "10 callers, batches of 100"]
    assert all([floor.name for floor in row.floors] == ["echo route"] for row in report.results)
    assert all(row.median > 0 for row in rates)


def test_on_trio(tmp_path: Path) -> None:
    """Both doors run on trio as well; uvicorn, which cannot, is left out."""
    report = run(
        tmp_path, "--loop", "trio", "--scenario", "life", "--store", "memory", "--door", "http"
    )
    assert {row.door for row in report.results} == {"http, hypercorn, trio"}


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_pick_up(tmp_path: Path, store: str) -> None:
    """The pick-up latency is told as median and 99th percentile."""
    report = run(tmp_path, "--scenario", "pick-up", "--store", store)
    places = 1 if store == "memory" else 2
    assert [row.unit for row in report.results] == ["ms p50", "ms p99"] * places


def test_idle(tmp_path: Path) -> None:
    """The idle cost is told as processor time and memory, next to that of an echo server."""
    report = run(tmp_path, "--scenario", "idle", "--store", "sqlite", "--server", "hypercorn")
    cpu, memory = report.results
    assert (cpu.unit, memory.unit) == ("% of a core", "MB resident")
    assert memory.median > 10


def test_depth(tmp_path: Path) -> None:
    """Claims are measured from a deep queue and from a shallow one."""
    report = run(tmp_path, "--scenario", "depth", "--store", "sqlite")
    assert [row.shape for row in report.results] == ["batches of 100", "100 callers"]


@pytest.mark.store("postgres")
def test_snapshot(tmp_path: Path) -> None:
    """Claims are measured while a snapshot is held, next to claims without."""
    report = run(tmp_path, "--scenario", "snapshot", "--store", "postgres")
    assert [row.unit for row in report.results] == ["ms p50", "ms p99"]
    assert [floor.name for floor in report.results[0].floors] == ["none held"]


def test_wrong_arguments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be measured is refused with what can."""
    for arguments in (["--scenario", "nothing"], ["--jobs", "0"], ["--folder", "no/such/folder"]):
        with pytest.raises(SystemExit) as caught:
            main([*arguments, "--json", str(tmp_path / "report.json")])
        assert caught.value.code == 2
    assert "choose from" in capsys.readouterr().err
