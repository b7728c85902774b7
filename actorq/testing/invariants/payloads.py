"""I15 and I16: bytes in are bytes out, and nothing ever reaches another caller; I1 for what was refused."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from actorq.testing.invariants.violation import Violation
from actorq.testing.invariants.watch import Ticked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.testing.invariants.events import Event
    from actorq.testing.invariants.story import Grant, Life, Story


def check(story: Story) -> Iterator[Violation]:
    """Judge I15 and I16."""
    origins = _Origins(story)
    scheduled = {event.job_id for _, event in story.of(Ticked)}
    for life in story.lives.values():
        # What a schedule made was asked for by nobody who is heard of here.
        if story.submissions and life.job_id not in scheduled:
            yield from origins.judge(life)
        yield from _others(life)
        yield from _kept(life)


class _Origins:
    """Where payloads come from: by digest, and by queue."""

    def __init__(self, story: Story) -> None:
        self.known: set[str] = set()
        self.refused: defaultdict[str, set[str]] = defaultdict(set)
        self.open: defaultdict[str, set[str]] = defaultdict(set)
        """Of requests whose answer did not name a job that they made."""
        self.replacing: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for call in story.submissions:
            request = call.sent.request
            self.known.add(request.payload)
            if call.refusal is not None:
                self.refused[request.queue].add(request.payload)
                continue
            if call.got is None:
                self.open[request.queue].add(request.payload)
            if request.dedupe_key is not None and request.on_duplicate == "replace":
                self.replacing[request.queue, request.dedupe_key].add(request.payload)

    def judge(self, life: Life) -> Iterator[Violation]:
        """Find a payload of a job which none of its requests had."""
        allowed = self._allowed(life)
        for payload, events in _payloads(life):
            if payload in allowed:
                continue
            queue = life.queue or ""
            if payload in self.refused[queue] and not life.created_by:
                yield Violation("I1", f"{life.job_id}: its request was refused", events)
            elif payload in self.known:
                yield Violation("I16", f"{life.job_id}: it has another job's payload", events)
            else:
                yield Violation("I15", f"{life.job_id}: its payload was changed", events)
            return

    def _allowed(self, life: Life) -> set[str]:
        made = life.created_by
        allowed = {ask.sent.payload for ask in life.asks if ask.sent.payload and ask.possible}
        allowed |= {call.sent.request.payload for call in made}
        if not made:
            allowed |= self.open[life.queue or ""]
        for key in _keys(life):
            allowed |= self.replacing[life.queue or "", key]
        return allowed


def _keys(life: Life) -> set[str]:
    keys = {call.sent.request.dedupe_key for call in life.submissions}
    keys |= {look.seen.dedupe_key for look in life.looks if look.seen is not None}
    return {key for key in keys if key is not None}


def _payloads(life: Life) -> Iterator[tuple[str, tuple[Event, ...]]]:
    for grant in life.grants:
        yield grant.taken.payload, grant.claim.events
    for look in life.looks:
        if look.seen is not None and look.seen.payload is not None:
            yield look.seen.payload, (look.event,)


def _others(life: Life) -> Iterator[Violation]:
    """Find an answer that is about another job, of another queue, or another caller's."""
    first: dict[str, Grant] = {}
    for look in life.looks:
        if look.seen is not None and look.seen.job_id != life.job_id:
            sentence = f"{life.job_id}: the answer was about {look.seen.job_id}"
            yield Violation("I16", sentence, (look.event,))
    for grant in life.grants:
        if grant.taken.queue != grant.claim.sent.queue:
            sentence = f"{life.job_id}: a job of {grant.taken.queue} was given to another queue's"
            yield Violation("I16", sentence, grant.claim.events)
        other = first.setdefault(grant.taken.token, grant)
        if other is not grant and other.taken.attempt == grant.taken.attempt:
            sentence = f"{life.job_id}: one claim was answered to two callers"
            yield Violation("I16", sentence, (*other.claim.events, *grant.claim.events))


def _kept(life: Life) -> Iterator[Violation]:
    """Find a payload that was changed by anything but an edit."""
    payload: str | None = None
    for _, move in life.moves:
        edits = move.event in {"edit", "reschedule", "promote"}
        if payload is not None and move.job.payload != payload and not edits:
            yield Violation("I15", f"{life.job_id}: {move.event} changed its payload", (move,))
        payload = move.job.payload
