"""A server that hears no news: everything still comes, at most a beat later (§8, rule 8)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pytest

from actorq.runtime import BEAT_S
from tests.e2e.doors import Pair, Waiter
from tests.e2e.places import SERVED, place_in
from tests.e2e.server_process import ACTORQ, Server
from tests.servers.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WHERE: Final = {"postgres": ("POSTGRES_DSN", b"LISTEN"), "redis": ("REDIS_URL", b"SUBSCRIBE")}
"""Of each store: the setting that tells where it is, and the word by which a connection asks for news."""

BUSY_S: Final = 2.0
"""Seconds that it may take more on a machine with much else to do."""


@pytest.fixture(params=SERVED)
def deaf_pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    """Run two servers on one place; the connection for news of the second is dead without a word."""
    setting, word = WHERE[str(request.param)]
    with place_in(str(request.param), tmp_path) as settings:
        address = urlsplit(settings[setting])
        assert address.port is not None
        proxy = Proxy(address.port, word=word)
        around = settings[setting].replace(f":{address.port}", f":{proxy.port}")
        with (
            Server(tmp_path, *ACTORQ, settings=settings) as first,
            Server(tmp_path, *ACTORQ, settings={**settings, setting: around}) as second,
        ):
            pair = Pair.of([first.url(), second.url()])
            hears(pair)
            proxy.mute()
            yield pair
        proxy.close()


def hears(pair: Pair) -> None:
    """Wait until the second server has heard the first: its connection for news is there."""
    while True:
        waiter = Waiter(pair.there, "heard")
        pair.here.put("heard")
        put_at = time.monotonic()
        if waiter.result().at - put_at < BEAT_S / 10:
            return


def test_without_news_a_beat_finds_the_work_of_others(deaf_pair: Pair) -> None:
    """News that never arrives costs a beat and no job: each of several comes within it (rule 8)."""
    queues = [f"unheard-{number}" for number in range(5)]
    waiters = [Waiter(deaf_pair.there, queue) for queue in queues]
    for queue in queues:
        deaf_pair.here.put(queue)
    put_at = time.monotonic()
    late = [waiter.result().at - put_at for waiter in waiters]
    assert max(late) < BEAT_S + BUSY_S, late
    # Else there was news, and this test is about nothing.
    assert max(late) > BEAT_S / 10, late
