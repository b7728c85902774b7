"""How a lane calls its store: on one connection, repeating only what cannot take effect twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from actorq.actors import messages as m
from actorq.actors.verbs import Kind, call_batch, call_single, lasting, repeatable
from actorq.core.results import Claimed
from actorq.errors import BackendUnavailable, InternalError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.actors.actor import OnCrash
    from actorq.backends.backend import Backend
    from actorq.core.commands import Claim
    from actorq.core.job import Job


class Caller:
    """One blocking connection, made on first use and anew after each failure. Knows no event loop.

    Nothing here raises: whatever goes wrong is a result. After ``BackendUnavailable`` what is safe to
    repeat is repeated once on a new connection; the caller of anything else learns that the outcome is
    unknown. Any other error is a bug, or a store that refuses an item: only that item fails.
    """

    def __init__(self, connect: Callable[[], Backend], on_crash: OnCrash) -> None:
        """Connect by ``connect``; report bugs to ``on_crash``."""
        self._connect = connect
        self._on_crash = on_crash
        self._backend: Backend | None = None

    def batch(self, kind: Kind, items: Sequence[object]) -> list[object]:
        """Call the verb of one kind of message for all items; one result each, if only an error."""
        try:
            backend = self._connected()
        except BackendUnavailable as error:
            # Nothing was sent: there is no doubt, and no use in a second try.
            return [error] * len(items)
        try:
            return call_batch(backend, kind, items)
        except BackendUnavailable as error:
            self.close()
            return self._again(kind, items, error)
        except Exception as error:  # noqa: BLE001 - a bug, or a store that refuses one item
            self.close()
            return self._one_by_one(kind, items, error)

    def single(self, message: m.StorageMessage) -> object:
        """Make the one call that ``message`` asks for; an error is a result."""
        try:
            backend = self._connected()
            try:
                return call_single(backend, message)
            except BackendUnavailable:
                self.close()
            # Reads, sweeps and prunings decide anew by what they find: repeating them is safe.
            return call_single(self._connected(), message)
        except BackendUnavailable as error:
            self.close()
            return error
        except Exception as error:  # noqa: BLE001 - a bug must not take the lane's callers along
            self.close()
            return self._crash(type(message), error)

    def stirred(self) -> Sequence[Job]:
        """Return, once, the jobs that the calls since the last time changed beyond those they answered."""
        return () if self._backend is None else self._backend.stirred()

    def close(self) -> None:
        """Let the connection go, if there is one."""
        if self._backend is not None:
            backend, self._backend = self._backend, None
            backend.close()

    def _connected(self) -> Backend:
        if self._backend is None:
            self._backend = self._connect()
        return self._backend

    def _again(
        self, kind: Kind, items: Sequence[object], error: BackendUnavailable
    ) -> list[object]:
        """Repeat on a new connection what cannot take effect twice."""
        results: list[object] = [error] * len(items)
        places = [place for place, item in enumerate(items) if repeatable(kind, item)]
        if not places:
            return results
        repeated = [items[place] for place in places]
        try:
            answers = self._repeat(kind, repeated)
        except BackendUnavailable:
            self.close()
            return results
        except Exception as bug:  # noqa: BLE001 - the same as for the first call
            self.close()
            answers = self._one_by_one(kind, repeated, bug)
        for place, answer in zip(places, answers, strict=True):
            if lasting(kind, items[place], answer):
                results[place] = answer
        return results

    def _repeat(self, kind: Kind, items: Sequence[object]) -> Sequence[object]:
        if kind is m.ClaimJobs:
            return self._find(cast("Sequence[Claim]", items))
        return call_batch(self._connected(), kind, items)

    def _find(self, claims: Sequence[Claim]) -> list[Claimed]:
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

    def _one_by_one(self, kind: Kind, items: Sequence[object], error: Exception) -> list[object]:
        """Let only the item fail that the store will not take; ids and tokens make it harmless."""
        if len(items) == 1:
            return [self._crash(kind, error)]
        return [self._alone(kind, item) for item in items]

    def _alone(self, kind: Kind, item: object) -> object:
        if kind is m.ClaimJobs:
            # A claim must not be made twice: what the batch took is not known.
            try:
                (claimed,) = self._find([cast("Claim", item)])
            except BackendUnavailable as error:
                self.close()
                return error
            except Exception as error:  # noqa: BLE001 - the same as for any call
                self.close()
                return self._crash(kind, error)
            if claimed.jobs:
                return claimed
        return self.batch(kind, [item])[0]

    def _crash(self, kind: Kind, error: Exception) -> InternalError:
        self._on_crash(kind.__name__, error)
        return InternalError("an internal error; the server's log has its traceback")
