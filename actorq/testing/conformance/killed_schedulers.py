"""Schedulers in processes of their own that are killed at any instruction (§10, I19)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from actorq.core.instants import to_us
from actorq.core.schedule import CatchUp
from actorq.core.ticks import Timing
from actorq.testing.conformance import tasks
from actorq.testing.conformance.timetable import fired, get, made, put, ticks_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.backends.backend import Store
    from actorq.testing.conformance.bench import Bench
    from actorq.testing.conformance.crew import Crew


class TestKilledSchedulers:
    """The tick and its job are one step, or the step is finished by whoever comes next."""

    @pytest.mark.parametrize("words", [1, 4, 9])
    def test_every_tick_is_one_job(
        self, bench: Bench, crew: Crew, recipe: Callable[[], Store], words: int
    ) -> None:
        """Whatever a killed scheduler was doing, the next one makes what is missing, once (I19)."""
        end = bench.now() + to_us(200.5)
        put(bench, catch_up=CatchUp.ALL, timing=Timing(every=1.0, ends_at=end))
        bench.advance(201.0)
        server = crew.send(recipe, tasks.fire_for_ever, None)
        told = [tick for _ in range(words) for tick in cast("list[int]", server.hear())]
        server.kill()
        assert set(told) <= set(ticks_of(made(bench)))
        while (sweep := fired(bench, 20)).jobs or sweep.next_in == 0.0:
            pass
        ticks = ticks_of(made(bench))
        assert len(set(ticks)) == len(ticks) == get(bench).fired == 200
