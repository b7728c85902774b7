"""A server as a process of its own, as an operator meets it: arguments, signals, exit code, output."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Self

ROOT = Path(__file__).parent.parent.parent
ACTORQ = ("-m", "actorq", "serve")
PATIENCE_S = 40.0
"""Seconds after which a process that hangs is killed, so that a test fails instead of hanging."""


class Server:
    """One running process; leaving the block kills what is left of it."""

    def __init__(
        self,
        folder: Path,
        *command: str,
        settings: Mapping[str, str] | None = None,
        patience: float = PATIENCE_S,
    ) -> None:
        """Start ``python *command`` in ``folder`` with these settings as its only environment."""
        keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.process = subprocess.Popen(  # noqa: S603 - the command is this file's own
            [sys.executable, *command],
            cwd=folder,
            env={**keep, "PYTHONPATH": str(ROOT), "PORT": "0", **(settings or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._killer = threading.Timer(patience, self.process.kill)
        self._killer.start()
        self._seen: list[str] = []

    def __enter__(self) -> Self:
        """Use it as a block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave no process behind."""
        self._killer.cancel()
        self.process.kill()
        self.process.communicate()

    def said(self) -> str:
        """Wait for the next line on stdout; empty at its end."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def url(self) -> str:
        """Wait until the server says that it is ready, and return its address."""
        line = self.said()
        assert " is ready on http://" in line, (line, self.end())
        return line.split(" is ready on ", 1)[1].split()[0]

    def logged(self, event: str) -> str:
        """Wait for an event on stderr that holds this text; return its line."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._seen.append(line)
            if event in line:
                return line
        raise AssertionError("\n".join(["no such event:", event, *self._seen]))

    def send(self, number: signal.Signals) -> float:
        """Send a signal; return when, in seconds of the monotonic clock."""
        self.process.send_signal(number)
        return time.monotonic()

    def end(self) -> tuple[int, list[str]]:
        """Wait for the end; return the exit code and every line of stderr."""
        assert self.process.stderr is not None
        self._seen += self.process.stderr.readlines()
        return self.process.wait(), self._seen


class Answer(NamedTuple):
    """What came back: the body is decoded if it is JSON; names of headers are in lower case."""

    status: int
    body: object
    headers: Mapping[str, str]


def ask(
    url: str,
    method: str,
    path: str,
    body: object = None,
    *,
    headers: Mapping[str, str] | None = None,
    on_sent: Callable[[], None] = lambda: None,
) -> Answer:
    """Send one request on a connection of its own; ``on_sent`` is called before the answer is read."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_S)
    try:
        data = None if body is None else json.dumps(body)
        media = {} if data is None else {"Content-Type": "application/json"}
        connection.request(method, path, data, {**media, **(headers or {})})
        on_sent()
        response = connection.getresponse()
        content = response.read()
        is_json = response.headers.get("Content-Type", "").endswith("json")
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, json.loads(content) if is_json else None, found)
    finally:
        connection.close()


def call(url: str, method: str, path: str, body: object = None) -> tuple[int, object]:
    """Send one request on a connection of its own; return the status and the decoded answer."""
    answer = ask(url, method, path, body)
    return answer.status, answer.body
