"""A timed actor with its alarm, its lane and a store: time passes when the test lets it, and at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, TypeVar

import anyio
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

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


class Troubled(RuleBasedStateMachine):
    """A course of events in which rounds fail, the store is away, and the actor is made anew.

    Or none of this, in a calm one. What else happens is for a subclass to say.
    """

    station: Station[Any]
    verbs: ClassVar[Sequence[str]]
    """The rounds of the actor that may fail, by what the store calls them."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 0
        """How many rounds failed, or were done by an actor that knew nothing yet."""

    @initialize(is_calm=st.booleans())
    def begin(self, is_calm: bool) -> None:
        self.is_calm = is_calm

    @precondition(lambda self: not self.is_calm)
    @rule(data=st.data(), lost=st.booleans())
    def lose_a_round(self, data: st.DataObject, lost: bool) -> None:
        """Let the next round fail, after its effect or before."""
        trouble = self.station.world.trouble
        (trouble.lose if lost else trouble.refuse)[data.draw(st.sampled_from(self.verbs))] += 1
        self.failures += 1

    @precondition(lambda self: not self.is_calm)
    @rule(outage=st.sampled_from([0.0, 0.3, 1.0, 2.1, 12.0]))
    def be_away(self, outage: float) -> None:
        self.station.world.trouble.away = True
        self.station.pass_time(outage)
        self.station.world.trouble.away = False
        self.station.failed_at = self.station.now

    @precondition(lambda self: not self.is_calm)
    @rule()
    def crash(self) -> None:
        self.station.restart()
        self.failures += 1
