"""``kill -9`` under load: nothing acknowledged is lost, nothing at-most-once starts twice (§10)."""

from __future__ import annotations

import os
import random
import signal
from typing import TYPE_CHECKING, Final

from tests.e2e.history import History
from tests.e2e.judging import drain, judge
from tests.e2e.load import Load
from tests.e2e.server_process import ACTORQ, PATIENCE_S, Server

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KILLS: Final = {"sqlite": int(os.environ.get("ACTORQ_KILLS", "50"))}
FEWER_KILLS: Final = 8
"""How often it dies on a store of its own process: what may break halfway is less than a file."""

MOST_NOTES: Final = 400
"""How much the clients have seen of a server, at most, when it is killed."""


def test_a_server_may_be_killed_at_any_instruction(
    store: str, place: Mapping[str, str], tmp_path: Path
) -> None:
    """However often it dies under load, every promise to its clients holds afterwards (I1, I4, I6, I7)."""
    kills = KILLS.get(store, FEWER_KILLS)
    draw = random.Random(kills)
    history = History()
    load = Load(history)
    load.produce()
    load.consume("worker")
    try:
        for _ in range(kills):
            with Server(tmp_path, *ACTORQ, settings=place) as server:
                load.address.set(server.url())
                history.wait_for_more(draw.randrange(MOST_NOTES), PATIENCE_S)
                load.address.set(None)
                server.send(signal.SIGKILL)
                server.process.wait()
    finally:
        load.end()
    with Server(tmp_path, *ACTORQ, settings=place) as server:
        url = server.url()
        drain(url, history)
        judge(url, history)
    assert len(history.acked) > kills
