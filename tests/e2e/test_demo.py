"""The example is a test of its own: it compares everything that it was promised."""

from __future__ import annotations

import subprocess
import sys

from tests.e2e.server_process import ROOT


def test_the_first_job_comes_out_as_promised() -> None:
    """Workers over HTTP, one of them killed, compute what a direct computation does (I1, §2)."""
    run = subprocess.run(  # noqa: S603 - the command is this file's own
        [sys.executable, str(ROOT / "examples" / "first_job" / "run.py"), "--files", "200"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "All as promised." in run.stdout
