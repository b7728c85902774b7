"""The actor kit: the loop that serves an actor, its supervision, and time as a message.

An actor is a plain class with ``handle(messages)`` and ``stop()``. The loop, the restarts and the
timers are here, so that an actor can be tested by calling it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, Protocol, TypeVar, cast

import anyio

from actorq.actors.mailbox import Mailbox, Reply
from actorq.actors.messages import Beat
from actorq.errors import ActorqError, BackendUnavailable, InternalError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_RESTARTS: Final = 5
"""How often an actor may be started anew within ``RESTART_WINDOW_S`` before it takes all down."""

RESTART_WINDOW_S: Final = 60.0
"""Seconds."""

M = TypeVar("M")
R = TypeVar("R")
M_contra = TypeVar("M_contra", contravariant=True)


class Actor(Protocol[M_contra]):
    """What the kit serves."""

    async def handle(self, messages: Sequence[M_contra]) -> None:
        """Take everything that has arrived, in order."""
        ...

    async def stop(self) -> None:
        """Finish: answer whoever still waits."""
        ...


class OnCrash(Protocol):
    """Who is told, once, of a bug in an actor."""

    def __call__(self, actor: str, error: Exception) -> None:
        """Record the error with its traceback."""
        ...


class _InFlight:
    """The replies which an actor was given and has not yet answered."""

    def __init__(self) -> None:
        self._replies: list[Reply[object]] = []
        self._prune_above = 0

    def add(self, messages: Sequence[object]) -> None:
        for message in messages:
            reply: object = getattr(message, "reply", None)
            if isinstance(reply, Reply):
                self._replies.append(cast("Reply[object]", reply))

    def forget_answered(self) -> None:
        """Let answers go: a batch that is kept beyond its turn keeps its memory from the next."""
        if len(self._replies) > self._prune_above:
            # Only when as many have come as wait already: constant work a message, whatever waits.
            self._replies = [r for r in self._replies if not (r.settled or r.abandoned)]
            self._prune_above = 2 * len(self._replies)

    def fail(self, error: ActorqError) -> None:
        for reply in self._replies:
            reply.fail(error)
        self._replies.clear()


async def serve(
    name: str,
    make: Callable[[], Actor[M]],
    mailbox: Mailbox[M],
    on_crash: OnCrash,
    *,
    limit: int = 1_000,
) -> None:
    """Serve an actor until its mailbox is closed and empty, then stop it.

    An error that leaves ``handle`` is a bug: the callers in flight get ``InternalError``, it is
    reported once, and ``make`` gives a new actor with fresh state. Too many of them leave here. Whoever
    still waits for an answer when the actor is given up learns that none will come.
    """
    in_flight = _InFlight()
    try:
        await _serve(name, make, mailbox, on_crash, in_flight, limit)
    except BaseException:
        in_flight.add(mailbox.abandon())
        in_flight.fail(BackendUnavailable("actorq ended before the answer: the outcome is unknown"))
        raise


async def _serve(
    name: str,
    make: Callable[[], Actor[M]],
    mailbox: Mailbox[M],
    on_crash: OnCrash,
    in_flight: _InFlight,
    limit: int,
) -> None:
    actor = make()
    crashes: deque[float] = deque(maxlen=MAX_RESTARTS)
    while batch := await mailbox.take(limit):
        in_flight.add(batch)
        try:
            await actor.handle(batch)
            del batch
            in_flight.forget_answered()
        except Exception as error:
            in_flight.fail(InternalError("an internal error; the server's log has its traceback"))
            on_crash(name, error)
            now = anyio.current_time()
            if len(crashes) == MAX_RESTARTS and now - crashes[0] < RESTART_WINDOW_S:
                raise
            crashes.append(now)
            actor = make()
    await actor.stop()


async def ask(mailbox: Mailbox[M], reply: Reply[R], message: M) -> R:
    """Tell ``message``, which carries ``reply``, and wait for the answer."""
    await mailbox.tell(message)
    return await reply.get()


class Alarm:
    """When an actor wants its next beat: at the latest ``longest`` seconds after the last."""

    def __init__(self, longest: float, offer: Callable[[Beat], bool]) -> None:
        """Ring at once for the first time, so that a start sees to what is due already.

        ``offer`` is the actor's mailbox's: a beat that finds no room is not missed.
        """
        self._longest = longest
        self._offer = offer
        self._at = 0.0
        self._changed = anyio.Event()

    def no_later_than(self, seconds: float) -> None:
        """Ring in ``seconds`` at the latest, on the monotonic clock."""
        at = anyio.current_time() + seconds
        if at < self._at:
            self._at = at
            self._changed.set()

    def beat(self) -> None:
        """Offer the actor its beat."""
        self._offer(Beat())

    async def ring(self) -> None:
        """Wait until the time has come, then wind up for ``longest``."""
        while (left := self._at - anyio.current_time()) > 0:
            with anyio.move_on_after(left):
                await self._changed.wait()
            if self._changed.is_set():
                self._changed = anyio.Event()
        self._at = anyio.current_time() + self._longest


async def metronome(alarm: Alarm) -> None:
    """Beat whenever the alarm rings, for ever."""
    while True:
        await alarm.ring()
        alarm.beat()
