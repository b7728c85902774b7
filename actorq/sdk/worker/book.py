"""The book of leases: what a worker holds and until when. Any thread may write in it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, NamedTuple

from actorq.sdk.door import Held
from actorq.sdk.worker.hold import Hold, Why

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from actorq.core.commands import Extend
    from actorq.sdk.door import Renewals

_AGAIN: Final = 0.1
"""The share of a lease that passes between two tries to renew it."""


class Round(NamedTuple):
    """One renewal of everything that is held."""

    holds: list[Hold]
    leases: list[Extend]
    sent: float


class LeaseBook:
    """Every lease that a worker holds. As soon as one is due, all are renewed, in one call.

    So the calls are a third of a lease apart, however many jobs there are.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Count on ``clock``: seconds, monotonic, the same for all threads."""
        self.clock = clock
        self.wake: Callable[[], None] = lambda: None
        """Called, from any thread, when a lease comes due before the one that was due first."""
        self._lock = threading.Lock()
        self._holds: dict[str, Hold] = {}
        self._first_due: float | None = None
        self._stopped: list[Hold] = []

    def add(self, holds: Iterable[Hold]) -> None:
        """Take in new leases."""
        with self._lock:
            for hold in holds:
                self._holds[hold.token] = hold
                if self._first_due is None or hold.renew_at < self._first_due:
                    self._first_due = hold.renew_at
                    self.wake()

    def drop(self, holds: Iterable[Hold]) -> None:
        """Forget leases: they are settled, or lost."""
        with self._lock:
            for hold in holds:
                self._holds.pop(hold.token, None)

    def next_due(self) -> float | None:
        """Return the moment at which something is due; None while nothing is held."""
        with self._lock:
            dues = [min(hold.renew_at, hold.expires) for hold in self._holds.values()]
            self._first_due = min(dues, default=None)
            return self._first_due

    def shortest(self) -> float | None:
        """Return the seconds of the shortest lease; None while nothing is held."""
        with self._lock:
            return min((hold.visibility_timeout for hold in self._holds.values()), default=None)

    def due(self) -> Round | None:
        """Give up what is overdue; return the round to be made now, if one is."""
        now = self.clock()
        with self._lock:
            for hold in [hold for hold in self._holds.values() if hold.expires <= now]:
                self._end(hold, Why.OVERDUE)
            holds = list(self._holds.values())
        if not any(hold.renew_at <= now for hold in holds):
            return None
        return Round(holds, [hold.extend() for hold in holds], now)

    def renewed(self, made: Round, answer: Renewals) -> None:
        """Write down what a round has brought."""
        with self._lock:
            for hold, lease in zip(made.holds, answer.leases, strict=True):
                if lease.status is Held.LOST:
                    self._end(hold, Why.LOST)
                    continue
                was_stopping = hold.stopping
                hold.renewed(made.sent, lease)
                if hold.stopping is not was_stopping:
                    self._stopped.append(hold)

    def failed(self, made: Round) -> None:
        """Try again soon: a round had no answer."""
        now = self.clock()
        with self._lock:
            for hold in made.holds:
                hold.renew_at = now + hold.visibility_timeout * _AGAIN

    @property
    def has_stopped(self) -> bool:
        """Whether ``stopped`` has something to tell."""
        return bool(self._stopped)

    def stopped(self) -> Sequence[Hold]:
        """Return what was found to be stopped since the last call: the loop is to cancel it."""
        with self._lock:
            found, self._stopped = self._stopped, []
            return found

    def _end(self, hold: Hold, why: Why) -> None:
        """Hold a lease no longer. One whose settlement is on the way may be gone because of that."""
        if self._holds.pop(hold.token, None) is not None and not hold.settling:
            hold.stopping = why
            self._stopped.append(hold)
