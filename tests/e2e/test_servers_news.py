"""Work done at one server reaches whoever waits at another that shares its store (§8, rule 8)."""

from __future__ import annotations

import time
from statistics import median
from typing import TYPE_CHECKING, Final

from actorq.runtime import BEAT_S
from tests.e2e.doors import Waiter

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.doors import Pair

ROUNDS: Final = 7
NEWS_S: Final = 0.5
"""Half of the rounds take less, when news arrives. Without it a beat decides: a second, on average."""

BUSY_S: Final = 3.0
"""Seconds that any one round may take more on a machine with much else to do."""

DELAY_S: Final = 0.15


def delays(pair: Pair, queue: str, prepare: Callable[[], Callable[[], float]]) -> list[float]:
    """Let a consumer wait at one server, act at the other; return after how many seconds it is served.

    ``prepare`` is called before the consumer comes. It returns the act, which returns the instant from
    which is counted.
    """
    found: list[float] = []
    for _ in range(ROUNDS):
        act = prepare()
        waiter = Waiter(pair.there, queue)
        since = act()
        taken = waiter.result()
        found.append(taken.at - since)
        pair.there.settle("ack", taken.job)
    return found


def assert_prompt(found: list[float]) -> None:
    """See that news came, and not a beat."""
    assert median(found) < NEWS_S, found
    assert max(found) < BEAT_S + BUSY_S, found


def test_an_enqueue_wakes_a_consumer_of_another_server(pair: Pair) -> None:
    """A job put on one server starts at once on a consumer that waits at another (§8)."""

    def act() -> float:
        pair.here.put("enqueued")
        return time.monotonic()

    assert_prompt(delays(pair, "enqueued", lambda: act))


def test_a_delayed_job_wakes_a_consumer_of_another_server(pair: Pair) -> None:
    """A job that becomes due is not early, and not late because its consumer is elsewhere (I9)."""

    def act() -> float:
        before = time.monotonic()
        pair.here.put("delayed", delay=DELAY_S)
        return before + DELAY_S

    found = delays(pair, "delayed", lambda: act)
    assert min(found) >= 0, found
    assert_prompt(found)


def test_a_redrive_wakes_a_consumer_of_another_server(pair: Pair) -> None:
    """A dead job that is given another life is work for whoever waits, wherever (§2)."""

    def prepare() -> Callable[[], float]:
        pair.here.put("redriven")
        dead = pair.here.settle("fail", pair.here.taken("redriven"), retryable=False)
        assert dead.status == "dead"

        def act() -> float:
            answer = pair.here.ask("POST", f"/jobs/{dead.id}/redrive")
            assert answer.status == 200, answer
            return time.monotonic()

        return act

    assert_prompt(delays(pair, "redriven", prepare))


def test_a_resume_wakes_a_consumer_of_another_server(pair: Pair) -> None:
    """A queue that goes on serves those who waited during its pause, wherever (§8)."""

    def prepare() -> Callable[[], float]:
        pair.here.order("resumed", "pause")
        pair.here.put("resumed")

        def act() -> float:
            pair.here.order("resumed", "resume")
            return time.monotonic()

        return act

    assert_prompt(delays(pair, "resumed", prepare))


def test_a_raised_bound_wakes_a_consumer_of_another_server(pair: Pair) -> None:
    """A queue that may run more jobs gives what it held back to who waits, wherever (§8)."""
    pair.here.set("bounded", max_running=1)
    pair.here.put("bounded")
    held = pair.here.taken("bounded")

    def prepare() -> Callable[[], float]:
        pair.here.set("bounded", max_running=1)
        pair.here.put("bounded")

        def act() -> float:
            pair.here.set("bounded", max_running=2)
            return time.monotonic()

        return act

    assert_prompt(delays(pair, "bounded", prepare))
    pair.here.settle("ack", held)
