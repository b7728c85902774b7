"""The store itself dies, freezes and cuts connections under load (§10; rows B1, B4, B5, C1, C2, C14)."""

from __future__ import annotations

import random
import secrets
from contextlib import closing
from typing import TYPE_CHECKING, Final

import pytest

from tests.e2e.history import History
from tests.e2e.judging import drain, judge
from tests.e2e.load import Load
from tests.e2e.places import SERVED
from tests.e2e.server_process import PATIENCE_S, Server
from tests.e2e.victims import QUICK, QUICK_S, Victim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Fault = Callable[[Victim, Load, History], None]

KILLS: Final = 3
CUTS: Final = 8
CUT_EVERY_S: Final = 0.3
MOST_NOTES: Final = 200


@pytest.fixture(scope="module", params=SERVED)
def victim(request: pytest.FixtureRequest) -> Iterator[Victim]:
    """Run a private server of a store for the tests of this module."""
    victim = Victim(str(request.param))
    yield victim
    victim.close()


def endure(victim: Victim, folder: Path, fault: Fault) -> None:
    """Let a server work under load while ``fault`` happens to its store, and hold it to its promises."""
    history = History()
    load = Load(history)
    command, settings = QUICK[victim.store], victim.settings(f"faults-{secrets.token_hex(4)}")
    with Server(folder, *command, settings=settings) as server:
        url = server.url()
        load.address.set(url)
        load.produce()
        load.consume("worker")
        try:
            fault(victim, load, history)
            # It goes on by itself, with the same process and the same clients.
            history.wait_for_more(MOST_NOTES, PATIENCE_S)
        finally:
            load.end()
        drain(url, history)
        judge(url, history)
    assert history.acked


def killing(victim: Victim, load: Load, history: History) -> None:
    """Kill the store in the middle of work, and bring it back after a while."""
    draw = random.Random(KILLS)
    for _ in range(KILLS):
        history.wait_for_more(draw.randrange(MOST_NOTES), PATIENCE_S)
        victim.kill()
        load.stop.wait(draw.random() / 2)
        victim.start()


def cutting(victim: Victim, load: Load, history: History) -> None:
    """End every connection again and again; between two times something must get through."""
    for _ in range(CUTS):
        victim.cut()
        load.stop.wait(CUT_EVERY_S)
        history.wait_for_more(1, PATIENCE_S)


def freezing(victim: Victim, load: Load, history: History) -> None:
    """Stop the store for longer than its connections are waited for."""
    history.wait_for_more(MOST_NOTES, PATIENCE_S)
    victim.freeze()
    load.stop.wait(2.5 * QUICK_S)
    victim.thaw()


def test_the_store_may_be_killed(victim: Victim, tmp_path: Path) -> None:
    """After each kill -9 of the store it has all that was accepted, and the server goes on (B1, C2, I1)."""
    endure(victim, tmp_path, killing)


@pytest.mark.store("redis")
def test_redis_may_be_killed_when_it_waits_for_the_disk(tmp_path: Path) -> None:
    """With ``appendfsync always`` nothing that was acknowledged is lost either (B1, I1)."""
    with closing(Victim("redis", "--appendfsync", "always")) as victim:
        endure(victim, tmp_path, killing)


def test_all_connections_are_cut_again_and_again(victim: Victim, tmp_path: Path) -> None:
    """With every connection ended every few moments the load goes on, and nothing is lost (B4, C1, I1)."""
    endure(victim, tmp_path, cutting)


def test_a_frozen_store_is_given_up_and_found_again(victim: Victim, tmp_path: Path) -> None:
    """A store that stops for longer than its connections' patience loses and doubles nothing (B5, I11)."""
    endure(victim, tmp_path, freezing)
