"""I11: one request that was sent twice has one effect, and the same answer."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec.structs import replace

from actorq.testing.invariants.violation import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actorq.testing.invariants.events import Accepted, Move, Request, Submit
    from actorq.testing.invariants.story import Call, Story


def check(story: Story) -> Iterator[Violation]:
    """Judge I11."""
    for calls in story.by_identity.values():
        if len(calls) > 1:
            yield from _one_effect(story, calls)
            yield from _wrongly_refused(calls)
    for calls in story.by_minted_id.values():
        yield from _own_id(calls)
    yield from _in_the_store(story)


def _one_effect(story: Story, calls: list[Call[Submit, Accepted]]) -> Iterator[Violation]:
    """Compare the answers to one key, as long as the first of them is surely remembered."""
    accepted = sorted((call for call in calls if call.got is not None), key=lambda call: call.end)
    if not accepted or story.clock_steps:
        return
    first, sure_until = accepted[0], _sure_until(story, calls)
    for call in accepted[1:]:
        assert first.got is not None
        assert call.got is not None
        if call.end_at >= sure_until:
            break
        evidence = (*first.events, *call.events)
        if call.got.job_id != first.got.job_id:
            yield Violation(
                "I11", f"one request became {first.got.job_id} and another job", evidence
            )
        elif _essence(call) != _essence(first):
            sentence = f"{first.got.job_id}: another request with its key was accepted"
            yield Violation("I11", sentence, evidence)
        elif first.end < call.start and not call.got.replayed:
            sentence = f"{first.got.job_id}: a replay was answered as if it were the first"
            yield Violation("I11", sentence, evidence)


def _sure_until(story: Story, calls: list[Call[Submit, Accepted]]) -> float:
    first = min(call.at for call in calls if call.possible)
    return first + story.terms.idempotency_ttl - story.terms.slack


def _wrongly_refused(calls: list[Call[Submit, Accepted]]) -> Iterator[Violation]:
    if any(_essence(call) != _essence(calls[0]) for call in calls):
        return
    for call in calls:
        if call.refusal is not None and call.refusal.code == "idempotency_key_reused":
            sentence = "a repeat of the same request was refused"
            yield Violation("I11", sentence, (*calls[0].events, *call.events))


def _own_id(calls: list[Call[Submit, Accepted]]) -> Iterator[Violation]:
    """Compare the ids that callers minted with those that were accepted."""
    for call in calls:
        request, got = call.sent.request, call.got
        if got is None or got.outcome != "created" or request.idempotency_key is not None:
            continue
        if got.job_id != request.job_id:
            sentence = f"{request.job_id}: its request became {got.job_id}"
            yield Violation("I11", sentence, call.events)


def _in_the_store(story: Story) -> Iterator[Violation]:
    """Find a request that became two jobs, though only one of them was ever told of.

    Known by its payload, where that is the payload of no other request.
    """
    births: defaultdict[tuple[str, str], list[Move]] = defaultdict(list)
    for _, move in story.moves:
        if move.event == "enqueue":
            births[move.job.queue, move.job.payload].append(move)
    requests = Counter(
        (call.sent.request.queue, call.sent.request.payload) for call in story.submissions
    )
    ttl = story.terms.idempotency_ttl * 1e6
    for calls in story.by_identity.values():
        request = calls[0].sent.request
        origin = (request.queue, request.payload)
        if requests[origin] != len(calls):
            continue
        for first, second in pairwise(births[origin]):
            twice = first.job.job_id != second.job.job_id
            if twice and second.store_time - first.store_time < ttl:
                sentence = f"one request became {first.job.job_id} and {second.job.job_id}"
                yield Violation("I11", sentence, (first, second))
                break


def _essence(call: Call[Submit, Accepted]) -> Request:
    return replace(call.sent.request, job_id=None)
