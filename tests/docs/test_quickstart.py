"""The quickstart's programs are real ones."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.docs.snippets import files_of
from tests.e2e.server_process import ACTORQ, PATIENCE_S, Server, call

if TYPE_CHECKING:
    from pathlib import Path


def run(folder: Path, *command: str) -> list[str]:
    """Run a program of the page to its end; return the lines that it wrote."""
    done = subprocess.run(  # noqa: S603 - the command is this file's own
        [sys.executable, *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    return done.stdout.splitlines()


def write_files(folder: Path) -> None:
    """Save the page's files, as a newcomer would."""
    for name, code in files_of("docs/quickstart.md").items():
        (folder / name).write_text(code, encoding="utf-8")


def test_the_first_job_is_done_by_the_first_worker(tmp_path: Path) -> None:
    """Task, worker and order of the quickstart find each other through a file (§9)."""
    write_files(tmp_path)
    store = ("--store", "sqlite:///shop.db")
    with Server(tmp_path, "-m", "actorq", "worker", "shop:app", *store):
        job, *reports, result = run(tmp_path, "order.py")
    assert job.startswith("job ")
    assert reports[-1] == "50 %"
    assert result == "cat.jpg at 200 pixels"


def test_the_worker_of_the_quickstart_works(tmp_path: Path) -> None:
    """The worker that newcomers copy takes the jobs of a real server and completes them."""
    write_files(tmp_path)
    with Server(tmp_path, *ACTORQ) as server:
        url = server.url()
        for payload in ("one", "three"):
            status, _ = call(url, "POST", "/jobs", {"queue_name": "letters", "payload": payload})
            assert status == 201
        lines = run(tmp_path, "worker.py", url, "letters")
        assert [line.split(" ", 1)[1] for line in lines] == ["{'length': 3}", "{'length': 5}"]
        status, figures = call(url, "GET", "/queues/letters")
        assert status == 200
        assert isinstance(figures, dict)
        assert figures["completed"] == 2
