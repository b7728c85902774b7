"""I10: at most one live job per queue and dedupe key, for as long as its window says.

Losers are told of the job that holds the key, and the key is free as soon as nobody holds it.
"""

from __future__ import annotations

from collections import defaultdict
from math import inf
from typing import TYPE_CHECKING

from actorq.testing.invariants import holding, requests
from actorq.testing.invariants.states import FINAL, LIVE, REMOVALS
from actorq.testing.invariants.story import NEVER
from actorq.testing.invariants.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.testing.invariants.events import Accepted, Move, Submit
    from actorq.testing.invariants.story import Call, Life, Story

Key = tuple[str, str]


def check(story: Story) -> Iterator[Violation]:
    """Judge I10."""
    holders: defaultdict[Key, list[Life]] = defaultdict(list)
    for life in story.lives.values():
        key = _key(life)
        if key is not None:
            holders[key].append(life)
    for lives in holders.values():
        yield from _two_at_once(story, lives)
    for call in story.submissions:
        yield from _losers(story, call)
    yield from _in_the_store(story)


def _key(life: Life) -> Key | None:
    made = life.created_by
    if not made or made[0].sent.request.dedupe_key is None:
        return None
    return made[0].sent.request.queue, made[0].sent.request.dedupe_key


def _two_at_once(story: Story, lives: list[Life]) -> Iterator[Violation]:
    """Find two jobs of one key that surely held it at the same moment."""
    lives.sort(key=lambda life: life.created_by[0].end_at)
    longest: Life | None = None
    until = -inf
    for life in lives:
        born = life.created_by[0]
        # What an answer shows was so while the question was under way: not before it, and not after.
        later = longest is not None and born.at >= longest.created_by[0].end_at
        shown_live = born.got is not None and born.got.status in LIVE
        if longest is not None and later and shown_live and born.end_at < until:
            sentence = f"{longest.job_id} and {life.job_id} held one dedupe key"
            yield Violation("I10", sentence, (*longest.created_by[0].events, *born.events))
        own = _surely_holds_until(story, life)
        if own > until:
            longest, until = life, own


def _surely_holds_until(story: Story, life: Life) -> float:
    """Return the earliest moment at which the job may have let its dedupe key go."""
    made = life.created_by[0]
    request, sent = made.sent.request, requests.first_sent(story, made)
    removed = [ask.at for ask in life.asks if ask.sent.verb in {"delete", "purge"}]
    ended = [settle.at for settle in life.settles if settle.possible]
    ended += [ask.at for ask in life.asks if ask.sent.verb == "cancel"]
    window = -inf
    if story.clock_steps:
        # Nothing can be said of what the clock alone may have ended.
        if life.grants or request.expires_in is not None:
            return -inf
    else:
        window = sent + request.dedupe_window - story.terms.slack
    if request.expires_in is not None:
        ended.append(sent + request.expires_in - story.terms.slack)
    ended.append(_lease_may_end(story, life))
    return min(max(min(ended), window), min(removed, default=inf))


def _lease_may_end(story: Story, life: Life) -> float:
    """Return the earliest moment at which a lease of the job may run out, and end it."""
    born = requests.first_sent(story, life.created_by[0])
    known = [holding.surely_until(story, life, grant, NEVER) for grant in life.grants]
    # A claim that came back empty may have taken it too, in the very moment in which its wait was over.
    unheard = [
        max(claim.at, born) + (claim.sent.visibility or 0.0) - story.terms.slack
        for claim in story.claims.get(life.queue or "", ())
        if claim.got is None or not claim.got.jobs
    ]
    return min(known + unheard, default=inf)


def _losers(story: Story, call: Call[Submit, Accepted]) -> Iterator[Violation]:
    """Judge what somebody was told who met the holder of his key."""
    if call.got is not None and call.got.outcome != "created":
        holder = story.lives[call.got.job_id]
    elif call.refusal is not None and call.refusal.job_id in story.lives:
        holder = story.lives[call.refusal.job_id]
    else:
        return
    key = _key(holder)
    if key is None:
        return
    request = call.sent.request
    if key != (request.queue, request.dedupe_key):
        sentence = f"{holder.job_id}: it was taken for the holder of another's dedupe key"
        yield Violation("I10", sentence, (*holder.created_by[0].events, *call.events))
    elif _had_let_go(story, holder, call):
        sentence = f"{holder.job_id}: it had ended, and still held its dedupe key"
        yield Violation("I10", sentence, (*holder.created_by[0].events, *call.events))


def _had_let_go(story: Story, holder: Life, call: Call[Submit, Accepted]) -> bool:
    own = requests.identity(call)
    if own is not None and len(story.by_identity[own]) > 1:
        # A replay tells of what was so at the first time.
        return False
    if story.clock_steps or holder.asked("redrive", before=call.end):
        return False
    for made in holder.created_by:
        window = made.sent.request.dedupe_window
        over = made.end_at + window + story.terms.slack
        if window and call.at <= over:
            return False
    looks = (look for look in holder.looks if look.seen and look.seen.status in FINAL)
    acks = (call for call in holder.settles if call.sent.action == "ack" and holding.held(call))
    return any(look.end < call.start for look in looks) or any(ack.end < call.start for ack in acks)


def _in_the_store(story: Story) -> Iterator[Violation]:
    live: dict[Key, str] = {}
    windows: dict[Key, tuple[int, str]] = {}
    latest = 0
    for _, move in story.moves:
        job = move.job
        # A window that was over once does not open again when the store's clock is turned back.
        latest = max(latest, move.store_time)
        if job.dedupe_key is None:
            continue
        key = (job.queue, job.dedupe_key)
        holder = live.get(key)
        takes = move.event in {"enqueue", "redrive"}
        if takes and holder is not None and holder != job.job_id:
            sentence = f"{job.job_id}: {holder} held its dedupe key, and was live"
            yield Violation("I10", sentence, (move,))
        until, owner = windows.get(key, (0, ""))
        if move.event == "enqueue" and until > latest and owner != job.job_id:
            sentence = f"{job.job_id}: the window of {owner} held its dedupe key"
            yield Violation("I10", sentence, (move,))
        yield from _let_go(move, live, windows, key)


def _let_go(
    move: Move, live: dict[Key, str], windows: dict[Key, tuple[int, str]], key: Key
) -> Iterator[Violation]:
    job = move.job
    until = job.dedupe_until or 0
    if move.event == "prune" and until > move.store_time:
        sentence = f"{job.job_id}: it was pruned, and its window still held its dedupe key"
        yield Violation("I10", sentence, (move,))
    if move.event in REMOVALS:
        if live.get(key) == job.job_id:
            del live[key]
        if windows.get(key, (0, ""))[1] == job.job_id:
            del windows[key]
    elif job.status in LIVE:
        live[key] = job.job_id
        windows[key] = (until, job.job_id)
    elif live.get(key) == job.job_id:
        del live[key]
