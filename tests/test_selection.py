"""The choice of stores for a run of the tests: named ones only, nothing left out in silence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.selection import STORES, Selection, not_here, parse, stores_of

ROOT = Path(__file__).parent.parent
NONE = frozenset[str]()


@pytest.mark.parametrize(
    "text", ["redis,sqlite", "redis sqlite", " Redis , sqlite ", "sqlite\nredis"]
)
def test_stores_are_named_with_commas_or_blanks(text: str) -> None:
    """``BACKENDS`` is a list of stores as people write one."""
    assert parse(text) == frozenset({"redis", "sqlite"})


@pytest.mark.parametrize("text", ["", "  ", ","])
def test_no_name_means_all(text: str) -> None:
    """An empty ``BACKENDS`` counts as not set: every store is tested."""
    assert parse(text) is None
    assert Selection(text, {"CI": "true"}).stores == set(STORES)


def test_an_unknown_store_is_refused() -> None:
    """A misspelt store must not become a run that tests nothing."""
    with pytest.raises(ValueError, match="no store with 'postgers': use memory, sqlite"):
        parse("redis,postgers")


@pytest.mark.parametrize(
    ("path", "marked", "stores"),
    [
        ("tests/backends/test_redis_faults.py", NONE, {"redis"}),
        ("tests/memory/test_data.py", NONE, {"memory"}),
        ("tests/e2e/test_servers_news.py", {"postgres"}, {"postgres"}),
        ("tests/core/test_bounds.py", NONE, NONE),
        ("tests/backends/test_clock_turned_back.py", NONE, NONE),
    ],
)
def test_a_test_is_about_what_its_file_or_mark_says(
    path: str, marked: frozenset[str], stores: frozenset[str]
) -> None:
    """A file's name or a mark binds a test to a store; any other is part of every run."""
    assert stores_of(Path(path), frozenset(marked)) == stores
    assert Selection("redis", {}).takes(frozenset(stores)) is (stores <= {"redis"})


def test_ci_leaves_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing server is left out, and told, on a developer's machine only; CI and a name insist."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", "")
    assert "redis" in not_here({})
    assert "redis" not in not_here({"TEST_REDIS_URL": "redis://localhost"})
    assert "redis" not in Selection("", {}).stores
    assert "WITHOUT" in str(Selection("", {}))
    assert "redis" in Selection("", {"CI": "true"}).stores
    assert "redis" in Selection("redis", {}).stores
    program = frozenset({"systemd"})
    assert not Selection("redis", {}).takes(NONE, program)
    assert Selection("redis", {"CI": "true"}).takes(NONE, program)


def test_a_run_is_about_the_named_stores_only() -> None:
    """The tests of other stores are deselected, not skipped, and the rest of the run is there."""
    folder = ROOT / "tests" / "backends"
    run = subprocess.run(  # noqa: S603 - the command is this file's own
        [
            sys.executable,
            "-m",
            "pytest",
            "--collect-only",
            "-q",
            "-p",
            "no:cacheprovider",
            str(folder),
        ],
        cwd=ROOT,
        env={**os.environ, "BACKENDS": "memory"},
        capture_output=True,
        text=True,
        check=True,
    )
    files = {line.partition("::")[0] for line in run.stdout.splitlines() if "::" in line}
    assert files == {"tests/backends/test_memory.py", "tests/backends/test_clock_turned_back.py"}
    assert "deselected" in run.stdout
