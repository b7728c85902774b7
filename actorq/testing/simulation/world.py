"""The world: what everybody in a simulation shares, and the machine on which the store is."""

from __future__ import annotations

from contextvars import copy_context
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Final

from actorq.core.instants import to_us
from actorq.testing.clock import START_US
from actorq.testing.invariants.history import History
from actorq.testing.simulation.loop import Order, VirtualTime

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from anyio.abc import TaskGroup

    from actorq.testing.invariants.events import Event
    from actorq.testing.simulation.choices import Choices
    from actorq.testing.simulation.profiles import Profile

_SEEDS: Final = 2**32


class World:
    """Time, choices and history of one run; to the simulated store it is the ``StorePort``."""

    def __init__(self, choices: Choices, profile: Profile) -> None:
        """Begin at the virtual time 0, in the way of ``profile``."""
        self.choices = choices
        self.profile = profile
        self.time_line = VirtualTime()
        self.order = Order(choices.choose("order of tasks", _SEEDS), self.time_line)
        self.history = History()
        self.tasks: TaskGroup
        """The world's own: machines live in there, and whoever makes trouble."""
        self._context = copy_context()
        self.healed = False
        """Whether all faults are over: from then on nothing goes wrong any more."""
        self.known: list[str] = []
        """The ids of all jobs that clients were told of."""
        self.bugs: list[tuple[str, Exception]] = []
        """Errors that left an actor, with its name: each is a failure of the run."""
        self.store_offset = 0.0
        """How many seconds the store's clock is ahead of the virtual time."""
        self._random = Random(choices.choose("ids", _SEEDS))  # noqa: S311 - ids that can be made again
        self._calls = count(1)
        self._tokens = count(1)

    # ── time ────────────────────────────────────────────────────────────────────────────────────

    def time(self) -> float:
        """Return the virtual seconds since the beginning."""
        return self.time_line.current_time()

    def now(self) -> int:
        """Return the store's clock: an instant."""
        return START_US + to_us(self.time() + self.store_offset)

    def later(self, seconds: float, function: Callable[[], None]) -> None:
        """Call ``function`` when so much virtual time has passed."""
        self.time_line.later(seconds, function)

    def start(self, task: Callable[[], Coroutine[object, object, None]]) -> None:
        """Start a task of the world's own, whoever asks for it."""
        self._context.run(self.tasks.start_soon, task)

    # ── names and records ───────────────────────────────────────────────────────────────────────

    def record(self, event: Event) -> None:
        """Add an event to the history."""
        self.history.append(event)

    def call_name(self) -> str:
        """Return a name for a call that nobody has had yet."""
        return f"call-{next(self._calls)}"

    def mint_token(self) -> str:
        """Return a lease token that nobody has had yet."""
        return f"token-{next(self._tokens)}"

    def random_bits(self, count: int) -> int:
        """Return bits for an id."""
        return self._random.getrandbits(count)

    def note_bug(self, actor: str, error: Exception) -> None:
        """Remember an error that left an actor."""
        self.bugs.append((actor, error))
