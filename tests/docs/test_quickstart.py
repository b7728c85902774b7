"""The quickstart's worker is a real one."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.docs.snippets import snippets
from tests.e2e.server_process import ACTORQ, PATIENCE_S, Server, call

if TYPE_CHECKING:
    from pathlib import Path


def test_the_worker_of_the_quickstart_works(tmp_path: Path) -> None:
    """The worker that newcomers copy takes the jobs of a real server and completes them."""
    (worker,) = [snippet for snippet in snippets() if snippet.needs_a_server]
    (tmp_path / "worker.py").write_text(worker.code, encoding="utf-8")
    with Server(tmp_path, *ACTORQ) as server:
        url = server.url()
        for payload in ("one", "three"):
            status, _ = call(url, "POST", "/jobs", {"queue_name": "thumbnails", "payload": payload})
            assert status == 201
        done = subprocess.run(  # noqa: S603 - the command is this file's own
            [sys.executable, "worker.py", url, "thumbnails"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=True,
        )
        assert [line.split(" ", 1)[1] for line in done.stdout.splitlines()] == [
            "{'length': 3}",
            "{'length': 5}",
        ]
        status, figures = call(url, "GET", "/queues/thumbnails")
        assert status == 200
        assert isinstance(figures, dict)
        assert figures["completed"] == 2
