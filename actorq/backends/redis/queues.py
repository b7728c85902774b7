"""Queues: their settings and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import msgspec

from actorq.backends.redis import scripting
from actorq.backends.redis.drafts import commit
from actorq.backends.redis.settings import decode_settings, edit_settings
from actorq.backends.redis.writes import Writes
from actorq.core.queue import QueueLength, QueueStats
from actorq.core.transitions import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.backends.redis.access import Access
    from actorq.core.queue import QueueEdit

_A_STEP: Final = 200
"""How many queues one script looks at."""

_STATUSES: Final = (Status.PENDING, *(status for status in Status if status is not Status.PENDING))
"""The order in which the script is given the lists: it looks into that of the pending jobs."""


class _Figures(msgspec.Struct, array_like=True, frozen=True):
    settings: str | None
    accepted: int
    pruned: int
    oldest_pending_at: int | None
    counts: list[int]


_figures: Final = msgspec.msgpack.Decoder(list[_Figures])


def list_queues(access: Access, names: Sequence[str] | None) -> list[QueueStats]:
    """Return the figures of all queues by name, or of ``names``."""
    if names is None:
        known = cast("list[bytes]", access.link.call(b"HKEYS", access.keys.queues))
        names = sorted(name.decode() for name in known)
    found: list[QueueStats] = []
    for at in range(0, len(names), _A_STEP):
        found += _stats(access, names[at : at + _A_STEP])
    return found


def _stats(access: Access, names: Sequence[str]) -> list[QueueStats]:
    keys = access.keys
    lists = [keys.queue(name).lists[status] for name in names for status in _STATUSES]
    answer = access.look(
        scripting.FIGURES,
        [keys.queues, keys.accepted, keys.pruned, keys.drift, *lists],
        [name.encode() for name in names],
    )
    return [
        QueueStats(
            name=name,
            counts=dict(zip(_STATUSES, figures.counts, strict=True)),
            accepted=figures.accepted,
            pruned=figures.pruned,
            oldest_pending_at=figures.oldest_pending_at,
            settings=decode_settings(figures.settings),
        )
        for name, figures in zip(names, _figures.decode(answer), strict=True)
    ]


def lengths(access: Access, names: Sequence[str]) -> list[QueueLength]:
    """Return the exact lengths."""
    return [
        QueueLength(
            queue_name=stats.name,
            pending=stats.counts[Status.PENDING],
            delayed=stats.counts[Status.DELAYED],
            running=stats.counts[Status.RUNNING],
            paused=stats.settings.paused,
        )
        for stats in list_queues(access, names)
    ]


def update(access: Access, edits: Sequence[QueueEdit]) -> list[QueueStats]:
    """Change settings of queues, making those that are not there yet."""
    if not edits:
        return []
    names = list(dict.fromkeys(edit.queue_name for edit in edits))

    def attempt() -> tuple[list[bytes], Writes]:
        kept = cast(
            "list[bytes | None]",
            access.link.call(b"HMGET", access.keys.queues, *(name.encode() for name in names)),
        )
        now, _ = access.read([])
        writes = Writes(access.keys, now)
        settings = dict(zip(names, kept, strict=True))
        for name, before in settings.items():
            writes.expect(access.keys.queues, name.encode(), before or b"")
        after: list[bytes] = []
        for edit in edits:
            after.append(edit_settings(settings[edit.queue_name], edit))
            settings[edit.queue_name] = after[-1]
        for name, text in settings.items():
            writes.settings(name, text or b"{}")
            writes.tell(name)
        return after, writes

    after = commit(access, attempt)
    stats = {figures.name: figures for figures in list_queues(access, names)}
    return [
        msgspec.structs.replace(stats[edit.queue_name], settings=decode_settings(text))
        for edit, text in zip(edits, after, strict=True)
    ]
