"""The network between callers and servers: requests and answers that are lost, late or doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

import anyio
from msgspec.structs import astuple

from actorq.errors import ActorqError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from actorq.face import JobQueue
    from actorq.testing.simulation.server import Server
    from actorq.testing.simulation.world import World

R = TypeVar("R")

LOST_REQUEST, LOST_ANSWER, DOUBLED, SLOW = range(1, 5)
"""What may become of an exchange, by number; 0 is well."""

FATES: Final = ("well", "lost request", "lost answer", "doubled", "slow")
"""Their names."""


class Lost(Exception):
    """No answer came: whether the request was done is unknown."""


class Unreachable(Exception):
    """The server did not take the connection: nothing was done."""


class _Exchange(Generic[R]):
    """One request and its answer."""

    def __init__(self) -> None:
        self.over = anyio.Event()
        self.answer: tuple[R] | None = None
        self.error: Exception | None = None
        self.scopes: list[anyio.CancelScope] = []
        self.hung_up = False

    def end(self, answer: tuple[R] | None, error: Exception | None) -> None:
        """Take the first answer that arrives."""
        if not self.over.is_set():
            self.answer, self.error = answer, error
            self.over.set()

    @property
    def has_refusal(self) -> bool:
        """Whether the request, or any item of it, was refused."""
        if self.answer is None:
            return self.error is not None
        (answer,) = self.answer
        items: list[object] = [*answer] if isinstance(answer, list) else [answer]
        return any(isinstance(item, ActorqError) for item in items)

    def hang_up(self) -> None:
        """Let the server notice that its caller has gone."""
        self.hung_up = True
        for scope in self.scopes:
            scope.cancel()


class Network:
    """Carries requests of one caller to servers, and the answers back."""

    def __init__(self, world: World, caller: str) -> None:
        """Draw the fates of ``caller``'s exchanges from the world's choices."""
        self._world = world
        self._odds = astuple(world.profile.exchanges)
        self._fate = f"{caller} exchange"
        self._there = f"{caller} there"
        self._back = f"{caller} back"
        self._hang_up = f"{caller} hang-up"

    async def call(
        self,
        server: Server,
        ask: Callable[[JobQueue], Coroutine[object, object, R]],
        *,
        patience: float,
        may_double: bool = False,
    ) -> R:
        """Let ``server`` carry out ``ask``; raises what it raises, ``Lost``, or ``Unreachable``.

        The caller waits for ``patience`` seconds. Only what its sender, or a proxy, would send again
        may arrive twice.
        """
        world = self._world
        odds = () if world.healed else self._odds
        fate = world.choices.weigh(self._fate, odds)
        if fate == DOUBLED and not may_double:
            fate = LOST_ANSWER
        exchange: _Exchange[R] = _Exchange()
        back = None if fate == LOST_ANSWER else self._latency(self._back, fate)

        def arrive() -> None:
            self._arrive(server, exchange, ask, back)

        if fate != LOST_REQUEST:
            world.later(self._latency(self._there, fate), arrive)
        if fate == DOUBLED:
            world.later(self._latency(self._there, SLOW), arrive)
        world.later(patience, exchange.over.set)
        await exchange.over.wait()
        if fate == DOUBLED and exchange.has_refusal:
            # That one of the two was refused says nothing of the other.
            raise Lost
        if exchange.error is not None:
            raise exchange.error
        if exchange.answer is None:
            if world.choices.choose(self._hang_up, 2) == 0:
                world.later(world.profile.latency[0], exchange.hang_up)
            raise Lost
        return exchange.answer[0]

    def _latency(self, label: str, fate: int) -> float:
        world = self._world
        low, high = world.profile.slow_latency if fate == SLOW else world.profile.latency
        return world.choices.span(label, low, high)

    def _arrive(
        self,
        server: Server,
        exchange: _Exchange[R],
        ask: Callable[[JobQueue], Coroutine[object, object, R]],
        back: float | None,
    ) -> None:
        queue = server.queue
        if queue is None or server.cut_off:
            if back is not None:
                self._world.later(back, lambda: exchange.end(None, Unreachable()))
            return

        async def serve() -> None:
            await self._serve(server, exchange, ask(queue), back)

        server.machine.start(serve)

    async def _serve(
        self,
        server: Server,
        exchange: _Exchange[R],
        asked: Coroutine[object, object, R],
        back: float | None,
    ) -> None:
        answer: tuple[R] | None = None
        error: Exception | None = None
        with anyio.CancelScope() as scope:
            exchange.scopes.append(scope)
            if exchange.hung_up:
                scope.cancel()
            try:
                answer = (await asked,)
            except ActorqError as refusal:
                error = refusal
        has_end = answer is not None or error is not None
        if has_end and back is not None and server.machine.alive() and not server.cut_off:
            self._world.later(back, lambda: exchange.end(answer, error))
