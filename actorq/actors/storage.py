"""A storage lane: one connection, one mailbox, one call to the store at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from actorq.actors import messages as m
from actorq.actors.caller import Caller
from actorq.actors.hints import Hints, News, read_news
from actorq.actors.verbs import RANK, SINGLE, Kind
from actorq.errors import ActorqError, BackendUnavailable, InternalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from actorq.actors.actor import OnCrash
    from actorq.actors.mailbox import Reply
    from actorq.actors.runners import Runner
    from actorq.backends.backend import Backend

MAX_ITEMS: Final = 2_000
"""How many items travel in one call, unless a single request has more: bulk must not hold up the rest."""

_READS = (m.GetJobs, m.GetQueueLengths, m.GetSchedules)
_PLAIN = (m.UpdateQueues, *_READS)
_UNKNOWN = (BackendUnavailable, InternalError)


class StorageLane:
    """Turns everything that has arrived into one store call per verb, and answers after the commit.

    Within one turn, settlements go first (they free room), then enqueues, then claims.
    """

    def __init__(
        self,
        *,
        connect: Callable[[], Backend],
        run: Runner,
        hints: Hints,
        on_crash: OnCrash,
    ) -> None:
        """Connect on first use; ``hints`` tells the other actors what was written."""
        self._caller = Caller(connect, on_crash)
        self._run = run
        self._hints = hints

    async def handle(self, messages: Sequence[m.StorageMessage]) -> None:
        """Group by verb, keep the order of arrival within each, and call."""
        groups: dict[Kind, list[m.StorageMessage]] = {}
        for message in messages:
            groups.setdefault(type(message), []).append(message)
        for kind in sorted(groups, key=lambda kind: RANK[kind]):
            if kind in SINGLE:
                for message in groups[kind]:
                    await self._serve_single(message)
            else:
                group = cast("list[m.Batch[object, object]]", groups[kind])
                for batch in _cut(group):
                    await self._serve_batch(kind, batch)

    async def stop(self) -> None:
        """Let the connection go."""
        await self._run(self._caller.close)

    async def _serve_batch(self, kind: Kind, group: list[m.Batch[object, object]]) -> None:
        waiting = [message for message in group if _still_wanted(message)]
        items = [item for message in waiting for item in message.items]
        if not items:
            for message in waiting:
                message.reply.set([])
            return
        results, news = await self._run(lambda: self._call(kind, items))
        start = 0
        for message in waiting:
            own = results[start : start + len(message.items)]
            start += len(message.items)
            if news.has_errors:
                _answer(message, own)
            else:
                message.reply.set(own)
        if kind not in _READS:
            self._hints.tell(news)

    def _call(self, kind: Kind, items: Sequence[object]) -> tuple[list[object], News]:
        results = self._caller.batch(kind, items)
        return results, read_news(results, self._caller.stirred())

    async def _serve_single(self, message: m.StorageMessage) -> None:
        result, stirred = await self._run(
            lambda: (self._caller.single(message), self._caller.stirred())
        )
        if isinstance(result, ActorqError):
            message.reply.fail(result)
        else:
            cast("Reply[object]", message.reply).set(result)
            self._hints.tell(read_news([result], stirred))


def _cut(group: Sequence[m.Batch[object, object]]) -> Iterator[list[m.Batch[object, object]]]:
    """Cut a long line of requests into calls of a bearable size; none is cut in two."""
    part: list[m.Batch[object, object]] = []
    size = 0
    for message in group:
        if part and size + len(message.items) > MAX_ITEMS:
            yield part
            part, size = [], 0
        part.append(message)
        size += len(message.items)
    yield part


def _still_wanted(message: m.Batch[object, object]) -> bool:
    # An abandoned claim would lease jobs to nobody, and an abandoned read is of no use. A write that
    # somebody asked for is done: to stop waiting for it does not undo it.
    return not (message.reply.abandoned and isinstance(message, (m.ClaimJobs, *_READS)))


def _answer(message: m.Batch[object, object], results: list[object]) -> None:
    error = next((r for r in results if isinstance(r, ActorqError)), None)
    plain = isinstance(message, _PLAIN)
    # An error is the whole request's where plain values are promised, or nothing else is in it.
    if error is not None and (plain or (len(results) == 1 and isinstance(error, _UNKNOWN))):
        message.reply.fail(error)
    else:
        message.reply.set(results)
