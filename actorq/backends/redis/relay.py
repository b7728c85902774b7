"""The relay: what the notes of an outbox say is told to the jobs that they name, each in its own shard.

A verb relays its own notes before it answers; what a server leaves that dies in between is relayed by the
sweeps of any other. What cannot be told now, as a node is away, is left to them as well: the verb
itself is done.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeAlias, TypeVar

from actorq.backends.redis.drafts import decide
from actorq.backends.redis.outbox import GRACE_US, Born, Ended, Letter
from actorq.core import dependence
from actorq.core.job import Job
from actorq.core.transitions import ENDED, Status
from actorq.errors import ActorqError, BackendUnavailable, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from actorq.backends.redis.access import Access
    from actorq.backends.redis.drafts import Draft
    from actorq.backends.redis.outbox import Outbox

T = TypeVar("T")
R = TypeVar("R")

A_STEP: Final = 100
"""How many jobs are told in one step: their records are read for it, whatever their size."""

MANY_NOTES: Final = 1_000
"""How many notes are crossed out at once."""


class Reach(Protocol):
    """A way to jobs by their ids, wherever they are."""

    def by_id(
        self,
        items: Sequence[T],
        id_of: Callable[[T], str],
        call: Callable[[Access, Sequence[T]], Sequence[R | ActorqError]],
    ) -> list[R | ActorqError]:
        """Make a call for each shard of the items' jobs."""
        ...


class OneShard:
    """The way to jobs on a single server."""

    def __init__(self, access: Access) -> None:
        """Work through ``access``."""
        self._access = access

    def by_id(
        self,
        items: Sequence[T],
        id_of: Callable[[T], str],  # noqa: ARG002 - all are in one place
        call: Callable[[Access, Sequence[T]], Sequence[R | ActorqError]],
    ) -> list[R | ActorqError]:
        """Make the call."""
        return list(call(self._access, items))


class _Word(NamedTuple):
    """What one job is to be told: that a child waits for it, or how a parent has ended."""

    letter: Letter
    parent_id: str
    child_id: str
    status: Status | None


_Call: TypeAlias = "Callable[[Access, Sequence[_Word]], Sequence[Job | ActorqError | None]]"


class Relay:
    """Relays what a connection has in its outbox."""

    def __init__(self, reach: Reach, outbox: Outbox) -> None:
        """Reach the jobs by ``reach``."""
        self._reach = reach
        self.outbox = outbox

    def run(self) -> None:
        """Tell everybody, and those who must hear of what that has ended in turn."""
        letters = self.outbox.take()
        if not letters:
            return
        away: dict[Access, BackendUnavailable] = {}
        done: list[Letter] = []
        while letters:
            late = self._round(letters, away)
            _postpone(letter for letter in letters if letter.member in late)
            done += [letter for letter in letters if letter.member not in late]
            if len(done) >= MANY_NOTES:
                _cross_out(done)
                done = []
            letters = self.outbox.take()
        _cross_out(done)

    def _round(
        self, letters: Sequence[Letter], away: dict[Access, BackendUnavailable]
    ) -> set[bytes]:
        """Do what some notes say; return those of them that could not be relayed."""
        births, ends = _words_in(letters)
        late: set[bytes] = set()
        for word, answer in self._tell(births, _parent_of, _note_child, away):
            if isinstance(answer, BackendUnavailable):
                late.add(word.letter.member)
            elif not isinstance(answer, Job):
                ends.append(word)
            elif answer.status in ENDED:
                ends.append(word._replace(status=answer.status))
        for word, answer in self._tell(ends, _child_of, _tell_end, away):
            if isinstance(answer, BackendUnavailable):
                late.add(word.letter.member)
            elif isinstance(answer, Job):
                self.outbox.stir(answer)
        return late

    def _tell(
        self,
        words: Sequence[_Word],
        id_of: Callable[[_Word], str],
        call: _Call,
        away: dict[Access, BackendUnavailable],
    ) -> Iterator[tuple[_Word, Job | ActorqError | None]]:
        """Make a call for each shard, a bounded step at a time; one that is away is asked no more."""

        def unless_away(
            access: Access, step: Sequence[_Word]
        ) -> Sequence[Job | ActorqError | None]:
            if access in away:
                raise away[access]
            try:
                return call(access, step)
            except BackendUnavailable as error:
                away[access] = error
                raise

        for at in range(0, len(words), A_STEP):
            step = words[at : at + A_STEP]
            try:
                answers = self._reach.by_id(step, id_of, unless_away)
            except BackendUnavailable as error:
                answers = [error] * len(step)
            yield from zip(step, answers, strict=True)


def _words_in(letters: Iterable[Letter]) -> tuple[list[_Word], list[_Word]]:
    """Return what notes say: of children that parents do not know of, and of parents that ended."""
    births: list[_Word] = []
    ends: list[_Word] = []
    for letter in letters:
        match letter.note:
            case Born(child_id, parents):
                births += [_Word(letter, one, child_id, None) for one in parents]
            case Ended(parent_id, _, status, children):
                ends += [_Word(letter, parent_id, one, status) for one in children]
    return births, ends


def _parent_of(word: _Word) -> str:
    return word.parent_id


def _child_of(word: _Word) -> str:
    return word.child_id


def _note_child(access: Access, words: Sequence[_Word]) -> list[Job | ActorqError | None]:
    """Note children in the records of those parents that live; answer the parents."""

    def decision(draft: Draft, word: _Word) -> Job | ActorqError | None:
        parent = draft.get(word.parent_id)
        if parent is None:
            return NotFound(word.parent_id)
        noted = dependence.with_dependent(parent, word.child_id, draft.now)
        return parent if noted is None else draft.write(noted)

    return decide(access, words, _parent_of, decision)


def _tell_end(access: Access, words: Sequence[_Word]) -> list[Job | ActorqError | None]:
    """Tell children how a parent ended; answer those that this has changed."""

    def decision(draft: Draft, word: _Word) -> Job | ActorqError | None:
        child = draft.get(word.child_id)
        if child is None:
            return NotFound(word.child_id)
        told = dependence.parent_ended(child, word.parent_id, word.status, draft.now)
        return None if told is None else draft.write(told)

    return decide(access, words, _child_of, decision)


# ── the notes themselves ────────────────────────────────────────────────────────────────────────


def _cross_out(letters: Iterable[Letter]) -> None:
    """Remove notes that were relayed; one that stays is relayed once more, which changes nothing."""
    for access, own in _by_shard(letters).items():
        with suppress(BackendUnavailable):
            access.link.call(b"ZREM", access.keys.outbox, *(letter.member for letter in own))


def _postpone(letters: Iterable[Letter]) -> None:
    """Let notes rest that could not be relayed, so that they do not stand in the way of others."""
    for access, own in _by_shard(letters).items():
        pairs = [(b"%d" % (letter.at + GRACE_US), letter.member) for letter in own]
        with suppress(BackendUnavailable):
            access.link.call(
                b"ZADD", access.keys.outbox, b"XX", *(v for pair in pairs for v in pair)
            )


def _by_shard(letters: Iterable[Letter]) -> dict[Access, list[Letter]]:
    shards: dict[Access, list[Letter]] = {}
    for letter in letters:
        shards.setdefault(letter.access, []).append(letter)
    return shards
