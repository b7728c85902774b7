"""Processes of a chaos run: started, signalled, and none of them left when the run ends, however it ends."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.processes import environment

if TYPE_CHECKING:
    import signal
    from collections.abc import Mapping, Sequence

_KEEPER: Final = """
import os, signal, sys

living = set()
for line in sys.stdin:
    sign, pid = line[0], int(line[1:])
    (living.add if sign == "+" else living.discard)(pid)
for pid in living:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
"""


class Keeper:
    """A process that knows which others live, and kills them when this one ends, also by a kill -9."""

    def __init__(self) -> None:
        """Start it."""
        self._lock = threading.Lock()
        self._process = subprocess.Popen(  # noqa: S603 - the words are ours
            [sys.executable, "-S", "-c", _KEEPER],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def note(self, sign: str, pid: int) -> None:
        """Tell it of a process that lives (``+``) or has ended (``-``)."""
        assert self._process.stdin is not None
        with self._lock:
            self._process.stdin.write(f"{sign}{pid}\n")
            self._process.stdin.flush()

    def close(self) -> None:
        """Let it kill what is left, and end."""
        self._process.communicate()


class Child:
    """One process. What it prints is kept in files of its own."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        settings: Mapping[str, str],
        folder: Path,
        keeper: Keeper,
    ) -> None:
        """Start ``python *command`` with only these settings."""
        self.name = name
        self.log = folder / f"{name}.log"
        self._said = folder / f"{name}.out"
        self._keeper = keeper
        with self.log.open("wb") as errors, self._said.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - the command is the harness's own
                [sys.executable, *command],
                env=environment(settings),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                # A Ctrl-C is for the conductor alone.
                start_new_session=True,
            )
        self.pid = self._process.pid
        keeper.note("+", self.pid)

    @property
    def ended(self) -> int | None:
        """Its exit code, or None while it lives."""
        return self._process.poll()

    def has_said(self, text: str) -> bool:
        """Tell whether this stands in what it has printed."""
        return text in self._said.read_text(encoding="utf-8")

    def peak_mb(self) -> float:
        """Return the most memory that it has had at once, in millions of bytes; 0 if it has ended."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        except FileNotFoundError:
            return 0.0
        found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
        return 0.0 if found is None else round(int(found[1]) * 1024 / 1e6, 1)

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it lives."""
        # Popen looks first whether its process was reaped: no other is ever met.
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kill it at once, and wait until it is gone."""
        self._process.kill()
        self.wait(None)

    def wait(self, seconds: float | None) -> int | None:
        """Wait until it has ended, and return its exit code; None when it goes on."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        self._keeper.note("-", self.pid)
        return code
