"""Servers for tests: free ports, temporary folders, and an end of all of it, even after a kill -9.

Each server runs under a *guard*, a small process that holds one end of a pipe. When this process ends,
in whatever way, the pipe closes; the guard then kills the server and removes its folder.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PATIENCE_S: Final = 20.0
"""Seconds that a server may take to start."""

_GUARD: Final = """
import os, shutil, signal, subprocess, sys

folder, command = sys.argv[1], sys.argv[2:]
server = subprocess.Popen(
    command, stdin=subprocess.DEVNULL, stdout=sys.stderr, start_new_session=True
)
print(server.pid, flush=True)
for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(name, signal.SIG_IGN)
# One that was killed is to be gone altogether: it may leave a file with its number behind.
signal.signal(signal.SIGCHLD, lambda *_: server.poll())
sys.stdin.buffer.read()
if server.poll() is None:
    os.killpg(server.pid, signal.SIGKILL)
server.wait()
if folder:
    shutil.rmtree(folder, ignore_errors=True)
"""


def free_port() -> int:
    """Return a port of the loopback interface that nobody uses now.

    It is none of those that the system gives to clients: while a server is dead, one of them that knocks
    at its door could get that very port for its own end, and would be connected with itself.
    """
    while True:
        port = 10_000 + secrets.randbelow(22_768)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def temporary_folder(prefix: str) -> Path:
    """Make a folder that the guard of a server removes."""
    return Path(tempfile.mkdtemp(prefix=f"actorq-{prefix}-"))


def find_program(name: str, package: str, folders: Sequence[str] = ()) -> str:
    """Return the path of a program; as root, install its Debian package first if it is missing."""
    path = os.pathsep.join((os.environ.get("PATH", ""), *folders))
    found = shutil.which(name, path=path)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get") is not None:
        _install(package)
        found = shutil.which(name, path=path)
    if found is None:
        raise RuntimeError(f"the tests need {name}: install the package {package}")
    return found


def _install(package: str) -> None:
    """Install a Debian package; where the lists of packages are old or not there, bring them first."""
    # Several runs of tests may want it at once.
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=120", "-qq"]
    command = [*apt, "install", "-y", "--no-install-recommends", package]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run = partial(subprocess.run, capture_output=True, text=True, env=environment)
    if run(command).returncode != 0:
        run([*apt, "update"])
        done = run(command)
        if done.returncode != 0:
            raise RuntimeError(f"{package} cannot be installed: {done.stderr}")


class ServerProcess:
    """One server under its guard."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start ``command``; ``folder`` is removed when this process ends."""
        with log.open("ab") as output:
            self._guard = subprocess.Popen(  # noqa: S603 - the command is the caller's own
                [sys.executable, "-c", _GUARD, str(folder or ""), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=None if environment is None else {**os.environ, **environment},
                start_new_session=True,
            )
        assert self._guard.stdout is not None
        self.pid = int(self._guard.stdout.readline())
        self._log = log

    @property
    def running(self) -> bool:
        """True as long as the server lives; a dead one that nobody has asked about yet does not."""
        try:
            state = Path(f"/proc/{self.pid}/stat").read_text("utf-8")
        except (FileNotFoundError, ProcessLookupError):
            # Not there any more, or gone between the opening and the reading of its page.
            return False
        return state.rsplit(")", 1)[1].split()[0] != "Z"

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Wait until ``ready`` says so; a server that ends meanwhile is shown with its log."""
        end = time.monotonic() + PATIENCE_S
        while not ready():
            if time.monotonic() > end or not self.running:
                raise RuntimeError(
                    f"a server did not start:\n{self._log.read_text('utf-8')[-4000:]}"
                )
            time.sleep(0.01)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the server at once and wait until it is gone; its folder stays."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        end = time.monotonic() + PATIENCE_S
        while self.running and time.monotonic() < end:
            time.sleep(0.005)

    def close(self) -> None:
        """Kill the server and remove its folder; safe to call twice."""
        for pipe in (self._guard.stdin, self._guard.stdout):
            if pipe is not None:
                pipe.close()
        self._guard.wait(PATIENCE_S)
