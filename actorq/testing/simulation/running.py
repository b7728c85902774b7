"""Running a world: from a seed, or the record of its choices, to a report."""

from __future__ import annotations

import hashlib
import traceback
from typing import TYPE_CHECKING

import msgspec

from actorq.testing.invariants.judge import judge
from actorq.testing.invariants.violation import Violation
from actorq.testing.simulation.choices import Choices
from actorq.testing.simulation.director import Director, Parts
from actorq.testing.simulation.loop import run
from actorq.testing.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actorq.testing.invariants.history import History
    from actorq.testing.simulation.choices import Choice
    from actorq.testing.simulation.profiles import Profile

_BUG = "bug"
"""What stands in the place of an invariant when an actor broke down, or the world itself."""

_encode = msgspec.json.Encoder().encode


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one world. ``trace`` is the SHA-256 of all that happened in it."""

    profile: str
    seed: int | None
    seconds: float
    """Virtual ones."""
    jobs: int
    faults: int
    trace: str
    violations: tuple[Violation, ...]
    excused: tuple[Violation, ...]
    """What was broken that is not promised in such a world: a loss is never silent."""
    record: tuple[Choice, ...]
    history: History
    met: dict[str, int]
    """How often the store met with what, by name."""


def simulate(
    profile: Profile,
    seed: int | None = None,
    *,
    record: Iterable[Choice] = (),
    parts: Parts | None = None,
) -> Report:
    """Run one world to its end: drawn by ``seed``, or made again from ``record``.

    ``parts`` are the classes that it is made of, for tests that plant a bug.
    """
    choices = Choices(seed, record)
    world = World(choices, profile)
    directors: list[Director] = []

    async def live() -> None:
        director = Director(world, parts or Parts())
        directors.append(director)
        await director.run()

    broken: list[Violation] = []
    try:
        run(live, world.time_line, world.order)
    except Exception as error:  # noqa: BLE001 - it is what the report is about
        broken.append(Violation(_BUG, "".join(traceback.format_exception(error))))
    broken += [Violation(_BUG, _told(actor, error)) for actor, error in world.bugs]
    found = judge(world.history)
    director = directors[0]
    return Report(
        profile=profile.name,
        seed=seed,
        seconds=world.time(),
        jobs=len(set(world.known)),
        faults=director.trouble.made,
        trace=_trace(choices, world.history),
        violations=(*broken, *(each for each in found if each.invariant not in profile.breaks)),
        excused=tuple(each for each in found if each.invariant in profile.breaks),
        record=tuple(choices.record),
        history=world.history,
        met=director.met,
    )


def _told(actor: str, error: Exception) -> str:
    return f"{actor}: {''.join(traceback.format_exception(error))}"


def _trace(choices: Choices, history: History) -> str:
    """Return one number for all that was chosen and all that happened, in its order."""
    whole = hashlib.sha256()
    whole.update(_encode(choices.record))
    whole.update(_encode(list(history)))
    return whole.hexdigest()
