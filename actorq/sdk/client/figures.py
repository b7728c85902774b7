"""Figures and settings of queues in answers, as actorq's own records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from actorq.core.instants import from_datetime, to_us
from actorq.core.queue import QueueLength, QueueSettings, QueueStats
from actorq.core.transitions import Status
from actorq.sdk.client.reading import Moment, understanding

if TYPE_CHECKING:
    from actorq.sdk.client.exchange import Answer


class _Stats(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    pending: int
    delayed: int
    running: int
    completed: int
    dead: int
    cancelled: int
    paused: bool
    oldest_pending_age: float | None
    accepted: int
    pruned: int
    as_of: Moment

    def record(self) -> QueueStats:
        oldest = None
        if self.oldest_pending_age is not None:
            oldest = from_datetime(self.as_of) - to_us(self.oldest_pending_age)
        counts: dict[Status, int] = {status: getattr(self, status.value) for status in Status}
        return QueueStats(
            name=self.name,
            counts=counts,
            accepted=self.accepted,
            pruned=self.pruned,
            oldest_pending_at=oldest,
            settings=QueueSettings(paused=self.paused),
        )


class _Removed(msgspec.Struct, frozen=True):
    removed: int


class _Ready(msgspec.Struct, frozen=True):
    warnings: tuple[str, ...]


_stats: Final = msgspec.json.Decoder(_Stats)
_all_stats: Final = msgspec.json.Decoder(list[_Stats])
_length: Final = msgspec.json.Decoder(QueueLength)
_settings: Final = msgspec.json.Decoder(QueueSettings)
_removed: Final = msgspec.json.Decoder(_Removed)
_ready: Final = msgspec.json.Decoder(_Ready)


def stats(answer: Answer) -> QueueStats:
    """Return the figures of one queue; raises ``BadAnswer``, as all here."""
    with understanding(answer):
        return _stats.decode(answer.body).record()


def all_stats(answer: Answer) -> list[QueueStats]:
    """Return the figures of several queues."""
    with understanding(answer):
        return [one.record() for one in _all_stats.decode(answer.body)]


def length(answer: Answer) -> QueueLength:
    """Return the length of a queue."""
    with understanding(answer):
        return _length.decode(answer.body)


def settings(answer: Answer) -> QueueSettings:
    """Return the settings of a queue."""
    with understanding(answer):
        return _settings.decode(answer.body)


def removed(answer: Answer) -> int:
    """Return how many jobs were removed."""
    with understanding(answer):
        return _removed.decode(answer.body).removed


def warnings(answer: Answer) -> tuple[str, ...]:
    """Return the warnings of a server that is ready."""
    with understanding(answer):
        return _ready.decode(answer.body).warnings
