"""I2 and I3: one job, one state; only legal moves; what is final is final.

The table is stated here once more, on purpose: the oracle does not read the one of ``actorq.core``.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from actorq.testing.invariants import holding
from actorq.testing.invariants.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.testing.invariants.events import Listed, Move, MoveEvent, Record, Status
    from actorq.testing.invariants.story import Life, Look, Story

LIVE: Final = frozenset({"pending", "delayed", "running"})
FINAL: Final = frozenset({"completed", "dead", "cancelled"})

LEGAL: Final[dict[MoveEvent, frozenset[tuple[Status | None, Status]]]] = {
    # It is cancelled from its birth if a job on which it depends had failed by then.
    "enqueue": frozenset({(None, "pending"), (None, "delayed"), (None, "cancelled")}),
    "promote": frozenset({("delayed", "pending")}),
    "reschedule": frozenset({("pending", "delayed")}),
    "edit": frozenset({("pending", "pending"), ("delayed", "delayed")}),
    "claim": frozenset({("pending", "running")}),
    "ack": frozenset({("running", "completed")}),
    "retry": frozenset({("running", "delayed")}),
    "bury": frozenset({("running", "dead")}),
    "release": frozenset({("running", "pending")}),
    "postpone": frozenset({("running", "delayed")}),
    "expire": frozenset({("running", "pending")}),
    "extend": frozenset({("running", "running")}),
    "request_cancel": frozenset({("running", "running")}),
    "abort": frozenset({("running", "cancelled")}),
    "cancel": frozenset({("pending", "cancelled"), ("delayed", "cancelled")}),
    "lapse": frozenset({("pending", "dead"), ("delayed", "dead")}),
    "redrive": frozenset({("dead", "pending")}),
    "note": frozenset({("pending", "pending"), ("delayed", "delayed"), ("running", "running")}),
}
"""Which statuses an event may lead from and to. What may be removed is the matter of I1."""

REMOVALS: Final = frozenset({"prune", "delete", "purge"})


def check(story: Story) -> Iterator[Violation]:
    """Judge I2 and I3."""
    for life in story.lives.values():
        yield from _chain(story, life)
        yield from _looks(life)
        yield from _given_out_after_the_end(life)
        yield from _without_a_word(life)
    yield from _one_place(story)


def _chain(story: Story, life: Life) -> Iterator[Violation]:
    """Follow the moves: each starts where the last one ended."""
    last: Record | None = None
    for _, move in life.moves:
        if move.event not in REMOVALS and (move.before, move.job.status) not in LEGAL[move.event]:
            sentence = f"{life.job_id}: {move.event} led from {move.before} to {move.job.status}"
            yield Violation("I3", sentence, (move,))
        elif move.before != (last.status if last is not None else None):
            state = "absent" if last is None else last.status
            sentence = f"{life.job_id}: {move.event} took it for {move.before}, and it was {state}"
            yield Violation("I2", sentence, (move,))
        else:
            yield from _one_record(story, move, last)
        last = None if move.event in REMOVALS else move.job


def _one_record(story: Story, move: Move, last: Record | None) -> Iterator[Violation]:
    job = move.job
    if (job.status == "running") != (job.token is not None):
        yield Violation("I2", f"{job.job_id}: {job.status}, and its lease says otherwise", (move,))
    if last is None or move.event in REMOVALS:
        return
    if job.version <= last.version:
        sentence = f"{job.job_id}: version {job.version} after {last.version}"
        yield Violation("I2", sentence, (move,))
    if move.event == "expire" and job.expiries > story.terms.max_expiries:
        sentence = f"{job.job_id}: it lost {job.expiries} leases, and was not buried"
        yield Violation("I3", sentence, (move,))
    if job.retry_count < last.retry_count and move.event != "redrive":
        yield Violation("I3", f"{job.job_id}: {move.event} took a failure back", (move,))


def _looks(life: Life) -> Iterator[Violation]:
    """Compare looks that came one after the other: a state never goes back."""
    looks = [look for look in life.looks if look.seen is not None]
    ends = [look.end for look in looks]
    furthest: list[Look] = []
    for place, look in enumerate(looks):
        before = bisect_left(ends, look.start, hi=place)
        if before:
            yield from _goes_on(life, furthest[before - 1], look)
        furthest.append(max(furthest[-1], look, key=_version) if furthest else look)


def _version(look: Look) -> tuple[int, int]:
    assert look.seen is not None
    return look.seen.version or 0, look.end


def _goes_on(life: Life, earlier: Look, later: Look) -> Iterator[Violation]:
    first, second = earlier.seen, later.seen
    assert first is not None
    assert second is not None
    evidence = (earlier.event, later.event)
    if first.version is not None and second.version is not None:
        if second.version < first.version:
            sentence = f"{life.job_id}: version {second.version} was seen after {first.version}"
            yield Violation("I2", sentence, evidence)
            return
        if second.version == first.version and second.status != first.status:
            sentence = f"{life.job_id}: one version was {first.status} and {second.status}"
            yield Violation("I2", sentence, evidence)
            return
    if first.status not in FINAL or second.status == first.status:
        return
    if first.status != "dead" or not life.asked("redrive", before=later.end):
        sentence = f"{life.job_id}: it was {first.status}, and then {second.status}"
        yield Violation("I3", sentence, evidence)


def _given_out_after_the_end(life: Life) -> Iterator[Violation]:
    """Find what had ended and was given out again, but for a redrive of ``dead``."""
    for grant in life.grants:
        for look in life.looks:
            if look.end >= grant.start or look.seen is None or look.seen.status not in FINAL:
                continue
            if look.seen.status == "dead" and life.asked("redrive", before=grant.end):
                continue
            sentence = f"{life.job_id}: it was {look.seen.status}, and was given out"
            yield Violation("I3", sentence, (look.event, *grant.claim.events))
            return
    attempts = {grant.taken.token: grant.taken.attempt for grant in life.grants}
    for settle in life.settles:
        own = attempts.get(settle.sent.token or "")
        if settle.sent.action != "ack" or not holding.held(settle) or own is None:
            continue
        later = [grant for grant in life.grants if grant.taken.attempt > own]
        # Where the job had been given on before, it is the acceptance that is wrong (I6).
        if later and all(grant.end > settle.start for grant in later):
            sentence = f"{life.job_id}: it was completed, and was given out again"
            yield Violation("I3", sentence, (*settle.events, *later[0].claim.events))
            return


def _without_a_word(life: Life) -> Iterator[Violation]:
    """Find what was completed or cancelled, and nobody had said so."""
    for look in life.looks:
        status = look.seen.status if look.seen is not None else None
        if status == "completed":
            spoken = any(
                call.sent.action == "ack" and call.possible and call.start < look.end
                for call in life.settles
            )
        elif status == "cancelled":
            # Whether it was for its parents' sake is the matter of ``families``.
            spoken = life.asked("cancel", before=look.end) or bool(life.parents)
        else:
            continue
        if not spoken:
            yield Violation("I3", f"{life.job_id}: it is {status}, at nobody's word", (look.event,))
            return


def _one_place(story: Story) -> Iterator[Violation]:
    """Look while nothing moves: a job stands in one list, that of its status."""
    for calm in story.calms:
        places: dict[str, Listed] = {}
        for listed in calm.listed:
            if listed.status is None:
                continue
            for job_id in listed.job_ids:
                other = places.setdefault(job_id, listed)
                if other.status != listed.status:
                    sentence = f"{job_id}: it is listed as {other.status} and as {listed.status}"
                    yield Violation("I2", sentence, (other, listed))
        for job_id, look in calm.looks.items():
            listed_as = places.get(job_id)
            if look.seen is not None and listed_as and listed_as.status != look.seen.status:
                sentence = f"{job_id}: it is {look.seen.status}, and listed as {listed_as.status}"
                yield Violation("I2", sentence, (look.event, listed_as))
