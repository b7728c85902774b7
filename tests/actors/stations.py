"""A timed actor with its alarm, its lane and a store: time passes when the test lets it, and at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

import anyio

from actorq.actors import messages as m
from actorq.actors.actor import Alarm
from actorq.testing.clock import START_US
from tests.actors.lanes import DirectLane, World
from tests.system.jumping import JumpingLoop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from actorq.actors.mailbox import Mailbox
    from actorq.actors.storage import StorageLane
    from actorq.core.policy import Policy

T = TypeVar("T")

BEAT_S: Final = 2.0
"""The longest time between two beats."""

INSTANT_S: Final = 0.001
"""What counts as at once: clocks are rounded to microseconds."""


class Timed(Protocol):
    """A scheduler or a reaper."""

    async def handle(self, messages: Sequence[m.Beat | m.DueWithin]) -> None:
        """Take what has arrived."""
        ...


ActorT = TypeVar("ActorT", bound=Timed)


class Station(Generic[ActorT]):
    """Runs its own loop from call to call; its store's clock keeps to the loop's."""

    def __init__(
        self,
        policy: Policy,
        make: Callable[[DirectLane, Alarm], ActorT],
        mailbox: Callable[[World], Mailbox[Any]],
    ) -> None:
        self._runner = asyncio.Runner(loop_factory=JumpingLoop)
        self.world = World(policy)
        self.lane: StorageLane = self.world.lane()
        self._direct = DirectLane(self.lane)
        self._hints = mailbox(self.world)
        self._make = make
        self.failed_at = -10.0 * BEAT_S
        """When a round last failed, or was held up."""
        self.alarm: Alarm
        self.actor: ActorT
        self.run(self._start())

    async def _start(self) -> None:
        self.alarm = Alarm(BEAT_S, lambda _: True)
        self.restart()

    def restart(self) -> None:
        """Make the actor anew, as the kit does after a bug."""
        self.actor = self._make(self._direct, self.alarm)

    def close(self) -> None:
        """Let the loop go."""
        self._runner.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop."""
        return self._runner.run(coroutine)

    @property
    def now(self) -> float:
        """The loop's time in seconds."""
        return self._runner.get_loop().time()

    def rounds(self, kind: type[m.StorageMessage]) -> int:
        """Return how often the actor asked for something of this kind."""
        return sum(isinstance(message, kind) for message in self._direct.told)

    def tell(self, message: m.StorageMessage, *, is_heard: bool) -> None:
        """Write something through the lane; the actor hears of it, or the hint is lost."""
        self.run(self.lane.handle([message]))
        hints = self._hints.abandon()
        self._hints.open = True
        if is_heard and hints:
            self.run(self.actor.handle(hints))

    def pass_time(self, seconds: float) -> None:
        """Let time pass, with a beat whenever the alarm rings."""
        self.run(self._pass_time(self.now + seconds))

    async def _pass_time(self, end: float) -> None:
        while True:
            began = anyio.current_time()
            with anyio.move_on_after(end - began) as scope:
                await self.alarm.ring()
            self.world.clock.advance(anyio.current_time() - began)
            if scope.cancelled_caught:
                return
            await self._beat()

    async def _beat(self) -> None:
        trouble = self.world.trouble
        failures = sum(trouble.refuse.values()) + sum(trouble.lose.values())
        await self.actor.handle([m.Beat()])
        left = sum(trouble.refuse.values()) + sum(trouble.lose.values())
        if trouble.away or left < failures:
            self.failed_at = anyio.current_time()

    def is_late(self, due: int, told_at: float | None, look_every: float = BEAT_S) -> bool:
        """Tell whether what was due at an instant should have been seen to by now.

        ``told_at`` is when it was set without a hint, None if the actor heard of it. Who met trouble looks
        again at the next beat, who was not told after ``look_every`` seconds at the latest.
        """
        moments = [(due - START_US) / 1e6, self.failed_at + BEAT_S]
        if told_at is not None:
            moments.append(told_at + look_every)
        return self.now > max(moments) + INSTANT_S
