"""A storage lane: one connection, one mailbox, one call to the store at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from actorq.actors import messages as m
from actorq.actors.hints import Hints
from actorq.actors.verbs import RANK, SINGLE, call_batch, call_single, repeatable
from actorq.core.results import Claimed
from actorq.errors import ActorqError, BackendUnavailable, InternalError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.actors.actor import OnCrash
    from actorq.actors.mailbox import Reply
    from actorq.backends.backend import Backend
    from actorq.core.commands import Claim
    from actorq.core.job import Job

T = TypeVar("T")

_READS = (m.GetJobs, m.GetQueueLengths)
_PLAIN = (m.ClaimJobs, m.UpdateQueues, *_READS)
_UNKNOWN = (BackendUnavailable, InternalError)


class Runner(Protocol):
    """Where blocking calls run: a worker thread, or right here for a store that never blocks."""

    async def __call__(self, function: Callable[[], T]) -> T:
        """Run ``function`` to its end, whatever happens to the caller, and return its result."""
        ...


class StorageLane:
    """Turns everything that has arrived into one store call per verb, and answers after the commit.

    Within one turn, settlements go first (they free room), then enqueues, then claims. After
    ``BackendUnavailable`` the connection is dropped, and what is safe to repeat is repeated once on
    a new one; the caller of anything else learns that the outcome is unknown.
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
        self._connect = connect
        self._run = run
        self._hints = hints
        self._on_crash = on_crash
        self._backend: Backend | None = None

    async def handle(self, messages: Sequence[m.StorageMessage]) -> None:
        """Group by verb, keep the order of arrival within each, and call."""
        groups: dict[type[m.StorageMessage], list[m.StorageMessage]] = {}
        for message in messages:
            groups.setdefault(type(message), []).append(message)
        for kind in sorted(groups, key=lambda kind: RANK[kind]):
            if kind in SINGLE:
                for message in groups[kind]:
                    await self._serve_single(message)
            else:
                await self._serve_batch(cast("list[m.Batch[object, object]]", groups[kind]))

    async def stop(self) -> None:
        """Let the connection go."""
        await self._run(self._disconnect)

    # ── batches ─────────────────────────────────────────────────────────────────────────────────

    async def _serve_batch(self, group: list[m.Batch[object, object]]) -> None:
        waiting = [message for message in group if _still_wanted(message)]
        items = [item for message in waiting for item in message.items]
        if not items:
            for message in waiting:
                message.reply.set([])
            return
        results = await self._run(lambda: self._call(group[0], items))
        start = 0
        for message in waiting:
            own = results[start : start + len(message.items)]
            start += len(message.items)
            _answer(message, own)
        if not isinstance(group[0], _READS):
            self._hints.written(results)

    def _call(self, sample: m.Batch[object, object], items: list[object]) -> list[object]:
        """Call one verb for all items. Never raises: each item has a result, if only an error."""
        try:
            return call_batch(self._connected(), sample, items)
        except BackendUnavailable as error:
            self._disconnect()
            return self._call_again(sample, items, error)
        except Exception as error:  # noqa: BLE001 - a bug, or a store that refuses one item
            self._disconnect()
            return self._call_one_by_one(sample, items, error)

    def _call_again(
        self, sample: m.Batch[object, object], items: list[object], error: BackendUnavailable
    ) -> list[object]:
        """Repeat on a new connection what cannot take effect twice."""
        results: list[object] = [error] * len(items)
        places = [place for place, item in enumerate(items) if repeatable(sample, item)]
        if not places:
            return results
        again = [items[place] for place in places]
        try:
            if isinstance(sample, m.ClaimJobs):
                answers = self._recover(cast("list[Claim]", again))
            else:
                answers = call_batch(self._connected(), sample, again)
        except BackendUnavailable:
            self._disconnect()
            return results
        for place, answer in zip(places, answers, strict=True):
            results[place] = answer
        return results

    def _recover(self, claims: list[Claim]) -> list[object]:
        """Ask what the claims took whose answer was lost, instead of claiming a second time."""
        tokens = [token for claim in claims for token in claim.tokens]
        found: dict[str, Job] = {}
        for job in self._connected().find_claims(tokens):
            if job.lease is not None:
                found[job.lease.token] = job
        return [
            Claimed(tuple(found[token] for token in claim.tokens if token in found))
            for claim in claims
        ]

    def _call_one_by_one(
        self, sample: m.Batch[object, object], items: list[object], error: Exception
    ) -> list[object]:
        """Let only the item fail that the store will not take; ids and tokens make it harmless."""
        if len(items) == 1:
            self._on_crash(type(sample).__name__, error)
            return [InternalError("an internal error; the server's log has its traceback")]
        return [self._call(sample, [item])[0] for item in items]

    # ── single calls ────────────────────────────────────────────────────────────────────────────

    async def _serve_single(self, message: m.StorageMessage) -> None:
        result = await self._run(lambda: self._call_single(message))
        if isinstance(result, ActorqError):
            message.reply.fail(result)
        else:
            cast("Reply[object]", message.reply).set(result)
            self._hints.written([result])

    def _call_single(self, message: m.StorageMessage) -> object:
        try:
            return call_single(self._connected(), message)
        except BackendUnavailable:
            self._disconnect()
        except Exception as error:  # noqa: BLE001 - a bug must not take the lane's callers along
            self._disconnect()
            self._on_crash(type(message).__name__, error)
            return InternalError("an internal error; the server's log has its traceback")
        try:
            # Reads, sweeps and prunings decide anew by what they find: repeating them is safe.
            return call_single(self._connected(), message)
        except BackendUnavailable as error:
            self._disconnect()
            return error

    # ── the connection ──────────────────────────────────────────────────────────────────────────

    def _connected(self) -> Backend:
        if self._backend is None:
            self._backend = self._connect()
        return self._backend

    def _disconnect(self) -> None:
        if self._backend is not None:
            backend, self._backend = self._backend, None
            backend.close()


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
