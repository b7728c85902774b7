"""A deploy under load: servers on one store are replaced one by one, and nobody pays for it (A8, §9)."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from tests.e2e.history import History
from tests.e2e.judging import drain, judge
from tests.e2e.load import Load
from tests.e2e.server_process import ACTORQ, PATIENCE_S, Server

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

STOPS: Final = 3
NOTES: Final = 200
"""How much the clients have seen between two stops."""

HOUR_S: Final = 3_600.0
"""No lease ends by itself within the test: what went into the void would never be finished."""


class Fleet:
    """Two servers on one place, each with clients of its own."""

    def __init__(self, stack: ExitStack, folder: Path, place: Mapping[str, str]) -> None:
        self._stack, self._folder, self._place = stack, folder, place
        self.history = History()
        self.servers = [self._start(), self._start()]
        self.loads = [Load(self.history, visibility=HOUR_S) for _ in self.servers]
        for number, (load, server) in enumerate(zip(self.loads, self.servers, strict=True)):
            load.address.set(server.url())
            load.consume(f"team-{number}")
        self.loads[0].produce()

    def replace_the_older(self) -> str:
        """Start a server, then stop the one that was there first; return the new one's address."""
        coming = self._start()
        url = coming.url()
        leaving = self.servers.pop(0)
        self.servers.append(coming)
        # Who talks with the one that leaves goes to the new one when the connection ends.
        moving = self.loads.pop(0)
        self.loads.append(moving)
        moving.address.set(url)
        leaving.send(signal.SIGTERM)
        code, events = leaving.end()
        # Redis may have had its warning at the start; a stop in order has nothing to tell.
        assert (code, [line for line in events if "appendfsync" not in line]) == (0, [])
        return url

    def _start(self) -> Server:
        server = Server(self._folder, *ACTORQ, settings=self._place)
        return self._stack.enter_context(server)


def test_servers_are_replaced_under_load(place: Mapping[str, str], tmp_path: Path) -> None:
    """With SIGTERM for one server after the other no job is lost, or the worse for it (I1, I8)."""
    with ExitStack() as stack:
        fleet = Fleet(stack, tmp_path, place)
        try:
            url = ""
            for _ in range(STOPS):
                fleet.history.wait_for_more(NOTES, PATIENCE_S)
                url = fleet.replace_the_older()
            for load in fleet.loads:
                load.enough()
            drain(url, fleet.history)
            for load in fleet.loads:
                load.end()
            ended = judge(url, fleet.history)
        finally:
            for load in fleet.loads:
                load.end()
    assert {(job.status, job.expiries) for job in ended.values()} == {("completed", 0)}
    assert len(fleet.history.acked) > NOTES
