"""From bodies to commands: each function checks one body and returns what the face takes."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from actorq.core import bounds, intake
from actorq.core.commands import Ack, Edit, Extend, Fail, Release, Report
from actorq.core.instants import parse_duration, parse_instant
from actorq.core.job import DEFAULT_BACKOFF, Backoff, Delivery, NewJob, OnDuplicate
from actorq.core.policy import Policy, Retention
from actorq.core.queue import QueueEdit
from actorq.core.wire import bodies
from actorq.core.wire.bodies import duration, token_of
from actorq.core.wire.fields import Duration
from actorq.core.workflow import OnParentFailure, Parent
from actorq.errors import ActorqError, InvalidInput

_PLACE: Final = re.compile(r"#(0|[1-9][0-9]{0,5})", re.ASCII)


def new_job(
    body: bodies.EnqueueBody,
    job_id: str,
    policy: Policy,
    *,
    header_key: str | None,
    caller: str,
    earlier: Sequence[NewJob | ActorqError] = (),
) -> NewJob:
    """Return the job that ``body`` asks for; ``header_key`` is the header ``Idempotency-Key``.

    ``earlier`` is what came of the items before it in its batch, which it may depend on.
    """
    return intake.new_job(
        job_id,
        _queue_name(body),
        body.payload,
        policy,
        priority=body.priority,
        max_retries=body.max_retries,
        delivery=_delivery(body.delivery),
        delay=_delay(body.delay, body.delay_seconds),
        available_at=_instant(body.available_at, "/available_at"),
        metadata=body.metadata,
        task=body.task,
        backoff=DEFAULT_BACKOFF if body.backoff is None else _backoff(body.backoff),
        timeout=duration(body.timeout, "/timeout"),
        expires_at=_instant(body.expires_at, "/expires_at"),
        dedupe_key=body.dedupe_key,
        dedupe_window=duration(body.dedupe_window, "/dedupe_window") or 0.0,
        on_duplicate=_on_duplicate(body.on_duplicate),
        idempotency_key=_idempotency_key(body.idempotency_key, header_key),
        caller=caller,
        depends_on=() if body.depends_on is None else _parents(body.depends_on, earlier),
        on_parent_failure=_on_parent_failure(body.on_parent_failure),
    )


def place_of(parent: str) -> int | None:
    """Return the place in the batch that ``#N`` names; None if that is not what it says."""
    match = _PLACE.fullmatch(parent)
    return None if match is None else int(match[1])


def refused_parent(number: int, parent: str) -> InvalidInput:
    """Return what is said of a job that depends on an item of its batch which was refused itself."""
    return InvalidInput(f"/depends_on/{number}", f"{parent} was refused itself")


def named_queue(body: bodies.EnqueueBody) -> str:
    """Return the queue that ``body`` names, by whichever of its names, unchecked; empty for none."""
    return body.queue_name or body.queue or ""


def wait(value: Duration, pointer: str = "/wait") -> float:
    """Return the seconds of a long poll: 0 to 20."""
    seconds = parse_duration(value, pointer)
    return bounds.seconds(seconds, pointer, least=0.0, most=bodies.MAX_WAIT_S)


def visibility(value: Duration | None, pointer: str = "/visibility_timeout") -> float | None:
    """Return a visibility timeout in seconds, or None for the queue's."""
    seconds = duration(value, pointer)
    return None if seconds is None else bounds.visibility_timeout(seconds, pointer)


def ack(job_id: str, body: bodies.AckBody | bodies.SettleItem, policy: Policy) -> Ack:
    """Return the acknowledgement that ``body`` tells of."""
    result = None
    if isinstance(body.result, msgspec.Raw):
        result = raw_text(body.result, "/result", policy.max_payload_bytes)
    return Ack(job_id, token_of(body.lease), None if result == "null" else result)


def fail(job_id: str, body: bodies.FailBody | bodies.SettleItem) -> Fail:
    """Return the failure that ``body`` tells of."""
    reason = _either(body.reason, body.error, "/reason", "/error", required=False)
    failure = intake.failure(
        reason, retryable=body.retryable, retry_in=duration(body.retry_in, "/retry_in")
    )
    return Fail(job_id, token_of(body.lease), failure)


def release(job_id: str, body: bodies.ReleaseBody | bodies.SettleItem) -> Release:
    """Return the hand-back that ``body`` tells of."""
    delay = parse_duration(body.delay, "/delay")
    bounds.seconds(delay, "/delay", least=0.0, most=bounds.MAX_DELAY_S)
    return Release(job_id, token_of(body.lease), delay)


def settlement(item: bodies.SettleItem, policy: Policy) -> Ack | Fail | Release:
    """Return the settlement that one item of a batch tells of."""
    match item.action.lower():
        case "ack":
            return ack(item.id, item, policy)
        case "fail":
            return fail(item.id, item)
        case "release":
            return release(item.id, item)
        case _:
            raise InvalidInput("/action", "must be ack, fail or release")


def extend(job_id: str, body: bodies.ExtendBody) -> Extend:
    """Return the renewal that ``body`` asks for."""
    asked = visibility(body.visibility_timeout)
    alias = visibility(body.seconds, "/seconds")
    if asked is not None and alias is not None and asked != alias:
        raise InvalidInput("/seconds", "contradicts visibility_timeout: say one of them")
    return Extend(job_id, token_of(body.lease), alias if asked is None else asked)


def heartbeat(body: bodies.HeartbeatBody) -> list[Extend]:
    """Return the renewals that ``body`` asks for, in order."""
    usual = visibility(body.visibility_timeout)
    items: list[Extend] = []
    for number, item in enumerate(body.leases):
        asked = visibility(item.visibility_timeout, f"/leases/{number}/visibility_timeout")
        items.append(Extend(item.id, token_of(item.lease), usual if asked is None else asked))
    return items


def report(job_id: str, body: bodies.ProgressBody) -> Report:
    """Return the report that ``body`` tells of."""
    progress = raw_text(body.progress, "/progress", bounds.MAX_PROGRESS_BYTES)
    return Report(job_id, token_of(body.lease), progress)


def edit(job_id: str, body: bodies.EditBody, version: int | None, policy: Policy) -> Edit:
    """Return the edit that ``body`` asks for; ``version`` is that of the header ``If-Match``."""
    change = Edit(
        id=job_id,
        version=version,
        payload=body.payload,
        priority=body.priority,
        max_retries=body.max_retries,
        delay=_delay(body.delay, body.delay_seconds),
        available_at=_instant(body.available_at, "/available_at"),
        metadata=body.metadata,
    )
    return intake.edit(change, policy)


def queue_edit(queue_name: str, body: bodies.SettingsBody, policy: Policy) -> QueueEdit:
    """Return the change of settings that ``body`` asks for; ``policy`` fills up a retention."""
    visibility_timeout = body.visibility_timeout
    if isinstance(visibility_timeout, float | int | str):
        visibility_timeout = visibility(visibility_timeout)
    retention = body.retention
    return intake.queue_edit(
        QueueEdit(
            queue_name=queue_name,
            max_running=body.max_running,
            max_depth=body.max_depth,
            visibility_timeout=visibility_timeout,
            retention=_retention(retention, policy.retention)
            if isinstance(retention, bodies.RetentionBody)
            else retention,
        )
    )


def raw_text(raw: msgspec.Raw, pointer: str, most_bytes: int) -> str:
    """Return a member that may be any JSON value, as JSON text of a bounded size."""
    data = bytes(raw)
    if len(data) > most_bytes:
        raise InvalidInput(pointer, f"must be at most {most_bytes} bytes of JSON")
    return data.decode()


def _queue_name(body: bodies.EnqueueBody) -> str:
    if body.queue_name is None and body.queue is not None:
        # Checked here, so that the place which is named is the one that was sent.
        return bounds.queue_name(body.queue, "/queue")
    return _either(body.queue_name, body.queue, "/queue_name", "/queue", required=True)


def _either(first: str | None, second: str | None, name: str, alias: str, *, required: bool) -> str:
    if first is not None and second is not None and first != second:
        raise InvalidInput(alias, f"contradicts {name[1:]}: say one of them")
    value = first if first is not None else second
    if value is None:
        if required:
            raise InvalidInput(name, "is required")
        return ""
    return value


def _delay(delay: Duration | None, alias: Duration | None) -> float | None:
    if delay is not None and alias is not None:
        raise InvalidInput("/delay_seconds", "contradicts delay: say one of them")
    value, pointer = (delay, "/delay") if alias is None else (alias, "/delay_seconds")
    if value is None:
        return None
    seconds = parse_duration(value, pointer)
    return bounds.seconds(seconds, pointer, least=0.0, most=bounds.MAX_DELAY_S)


def _instant(text: str | None, pointer: str) -> int | None:
    return None if text is None else parse_instant(text, pointer)


def _delivery(text: str) -> Delivery:
    # Most jobs say nothing: what stands then in the body is this very text.
    if text is bodies.USUAL_DELIVERY:
        return Delivery.AT_LEAST_ONCE
    return intake.word(Delivery, text, "/delivery")


def _on_duplicate(text: str) -> OnDuplicate:
    if text is bodies.USUAL_ON_DUPLICATE:
        return OnDuplicate.RETURN
    return intake.word(OnDuplicate, text, "/on_duplicate")


def _parents(names: Sequence[str], earlier: Sequence[NewJob | ActorqError]) -> Sequence[Parent]:
    """Put the jobs of the same batch in the place of ``#N``; the rest is left for the intake to judge."""
    found: list[Parent] = []
    for number, name in enumerate(names):
        place = place_of(name)
        if place is None:
            found.append(name)
            continue
        if place >= len(earlier):
            raise InvalidInput(f"/depends_on/{number}", "must name an earlier job of the batch")
        parent = earlier[place]
        if isinstance(parent, ActorqError):
            raise refused_parent(number, name)
        found.append(parent)
    return found


def _on_parent_failure(text: str) -> OnParentFailure:
    if text is bodies.USUAL_ON_PARENT_FAILURE:
        return OnParentFailure.CANCEL
    return intake.word(OnParentFailure, text, "/on_parent_failure")


def _backoff(body: bodies.BackoffBody) -> Backoff:
    return Backoff(
        base=parse_duration(body.base, "/backoff/base"),
        factor=body.factor,
        max=parse_duration(body.max, "/backoff/max"),
    )


def _retention(body: bodies.RetentionBody, usual: Retention) -> Retention:
    asked = {
        "completed": duration(body.completed, "/retention/completed"),
        "dead": duration(body.dead, "/retention/dead"),
        "cancelled": duration(body.cancelled, "/retention/cancelled"),
        "max_completed": body.max_completed,
        "max_dead": body.max_dead,
        "max_cancelled": body.max_cancelled,
    }
    said = {name: value for name, value in asked.items() if value is not None}
    return msgspec.structs.replace(usual, **said)


def _idempotency_key(in_body: str | None, in_header: str | None) -> str | None:
    if in_body is not None and in_header is not None and in_body != in_header:
        raise InvalidInput("/idempotency_key", "differs from the header Idempotency-Key")
    return in_body if in_body is not None else in_header
