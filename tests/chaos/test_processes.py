"""The processes of a chaos run: none of them is left, however the run ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from benchmarks.chaos.processes import Child, Keeper
from tests.e2e.server_process import PATIENCE_S, ROOT

if TYPE_CHECKING:
    from pathlib import Path

SLEEPER: Final = ("-c", "import time; print('here', flush=True); time.sleep(600)")

CONDUCTOR: Final = f"""
import sys, time
from pathlib import Path
from benchmarks.chaos.processes import Child, Keeper

keeper = Keeper()
sleepers = [
    Child(name, {SLEEPER!r}, settings={{}}, folder=Path(sys.argv[1]), keeper=keeper)
    for name in ("one", "two")
]
sleepers[0].kill()
while not sleepers[1].has_said("here"):
    time.sleep(0.01)
print(sleepers[1].pid, flush=True)
time.sleep(600)
"""


def test_a_killed_conductor_takes_everybody_along(tmp_path: Path) -> None:
    """When a run is killed with SIGKILL, its keeper kills whoever is left, and ends."""
    conductor = subprocess.Popen(  # noqa: S603 - the words are ours
        [sys.executable, "-c", CONDUCTOR, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert conductor.stdout is not None
    sleeper = os.pidfd_open(int(conductor.stdout.readline()))
    conductor.kill()
    conductor.communicate()
    # Such a descriptor is readable once its process has ended.
    ended, _, _ = select.select([sleeper], [], [], PATIENCE_S)
    os.close(sleeper)
    assert ended


def test_a_child_leaves_its_words(tmp_path: Path) -> None:
    """What a process prints is kept, and how it ended is known."""
    keeper = Keeper()
    child = Child("child", SLEEPER, settings={}, folder=tmp_path, keeper=keeper)
    while not child.has_said("here"):
        assert child.ended is None
    assert child.peak_mb() > 1
    child.send(signal.SIGTERM)
    assert child.wait(PATIENCE_S) == -signal.SIGTERM
    keeper.close()
    assert child.log.read_text(encoding="utf-8") == ""
