"""The command: what it prints, what it writes, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq.testing.simulation import Parts
from actorq.testing.simulation.command import main
from tests.testing.simulation.test_shrink import Forgetful

if TYPE_CHECKING:
    from pathlib import Path

BROKEN = Parts(engine=Forgetful)


def test_a_seed_prints_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    """Virtual seconds, jobs, faults and the trace; nothing was broken, so it ends with 0."""
    assert main(["--seed", "3", "--profile", "crashes"]) == 0
    figures, trace = capsys.readouterr().out.splitlines()
    assert figures.startswith("crashes 3: ")
    assert all(word in figures for word in ("virtual seconds", "jobs", "faults"))
    assert len(trace.removeprefix("trace ")) == 64


def test_a_failure_ends_with_1_and_says_how_to_make_it_again(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The broken invariant, the seed, and the file with the choices, which a replay reads."""
    seed = ["--seed", "0", "--profile", "overtime"]
    failures = ["--failures", str(tmp_path), "--no-shrink"]
    assert main([*seed, *failures], BROKEN) == 1
    told = capsys.readouterr().out
    assert "python -m actorq.testing.simulation --profile overtime --seed 0" in told
    path = tmp_path / "overtime-0.json"
    assert f"--replay {path}" in told
    assert any(line.startswith("I") and line[1].isdigit() for line in told.splitlines())

    assert main(["--replay", str(path)], BROKEN) == 1
    broken = capsys.readouterr().out
    assert told.splitlines()[1] == broken.splitlines()[1], "the trace is the same"
    assert main(["--replay", str(path)]) == 0


def test_many_seeds_are_summed_up(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """All profiles take turns; with several processes the order of the seeds is kept."""
    failures = ["--failures", str(tmp_path / "failures")]
    assert main(["--seeds", "0-5", "--processes", "1", *failures]) == 0
    alone = capsys.readouterr().out.splitlines()[-1]
    assert alone.startswith("6 seeds, 0 failed: ")
    assert main(["--seeds", "0-5", "--processes", "2", *failures]) == 0
    together = capsys.readouterr().out.splitlines()[-1]
    assert together.partition(" in ")[0] == alone.partition(" in ")[0]
    assert not (tmp_path / "failures").exists()


def test_what_makes_no_sense_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """One of a seed, a range and a file is needed."""
    for arguments in ([], ["--seeds", "many"], ["--seed", "1", "--replay", "x"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2
    assert "not of the form 0-999" in capsys.readouterr().err
