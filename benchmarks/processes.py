"""Processes of the benchmark: servers under load, and what the system counts of them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.contest import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

ROOT: Final = Path(__file__).parent.parent
"""Where ``actorq`` and ``benchmarks`` are found by the children too."""

_MOST_S: Final = 1_800.0
"""Seconds after which a server is killed whatever happens, so that none is left behind."""

_STOP_S: Final = 15.0

LINUX: Final = Path("/proc/self/stat").exists()
"""Whether the system tells of processes in the way that is read here."""


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a child: no setting but these."""
    keep = ("PATH", "HOME", "TMPDIR", "SYSTEMROOT")
    kept = {name: os.environ[name] for name in keep if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), **settings}


class ServerProcess:
    """A server on loopback, in a process of its own; leaving the block stops it."""

    def __init__(self, *command: str, settings: Mapping[str, str]) -> None:
        """Start ``python *command`` with only these settings; it prints where it listens."""
        self._process = subprocess.Popen(  # noqa: S603 - the command is the benchmark's own
            [sys.executable, *command],
            env=environment({"PORT": "0", "LOG_LEVEL": "warning", **settings}),
            stdout=subprocess.PIPE,
            text=True,
        )
        self._killer = threading.Timer(_MOST_S, self._process.kill)
        self._killer.daemon = True
        self._killer.start()
        self.port = 0

    def __enter__(self) -> Self:
        """Wait until the server is ready."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        address = line.partition(" is ready on http://")[2].split(maxsplit=1)
        if not address:
            self._end()
            raise BenchmarkError("a server did not start: its log, above, says why")
        self.port = int(address[0].rpartition(":")[2])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ask the server to stop; kill it when it does not."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._end()

    def _end(self) -> None:
        self._killer.cancel()
        self._process.communicate()

    def cpu_seconds(self) -> float:
        """Return the processor time of all its threads so far, those that have ended included."""
        # The name of the program stands in brackets and may hold blanks: count from its end.
        fields = self._proc("stat").rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def resident_mb(self) -> float:
        """Return the memory that it occupies, in millions of bytes."""
        pages = int(self._proc("statm").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def share_of_a_core(self, seconds: float) -> float:
        """Watch it for so long; return its processor time in percent of one core's."""
        before, started = self.cpu_seconds(), time.monotonic()
        time.sleep(seconds)
        return 100 * (self.cpu_seconds() - before) / (time.monotonic() - started)

    def _proc(self, name: str) -> str:
        return Path(f"/proc/{self._process.pid}/{name}").read_text(encoding="ascii")
