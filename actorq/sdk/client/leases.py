"""The calls of a worker: taking jobs, keeping them, and settling them under their lease's token."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import msgspec

from actorq.core import bounds, calls, intake
from actorq.core.commands import Ack, Extend, Fail, Release, Report
from actorq.core.job import Job
from actorq.core.results import Claimed
from actorq.sdk.client import batches, reading, renewals, writing
from actorq.sdk.client.base import JSON, POLICY, BaseCalls, held, path_of, queue_path
from actorq.sdk.client.errors import BadAnswer
from actorq.sdk.client.exchange import Repeat, Request, Subject
from actorq.sdk.door import LONGEST_WAIT_S, Renewals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from actorq.core.intake import JsonValue
    from actorq.core.results import Settled
    from actorq.errors import ActorqError
    from actorq.sdk.client.exchange import Answer, Conversation
    from actorq.sdk.door import Settling

NO_CONTENT: Final = 204
MAX_SLOTS: Final = 1_000
"""How many jobs one claim may ask for."""

USUAL_LEASE_S: Final = 30.0
"""How long a lease lasts of which nothing else is known here."""


class LeaseCalls(BaseCalls):
    """What a worker does. A job that came from ``dequeue`` carries its lease, and stands for it.

    Instead of the job, an id may be given, with or without the token: without one, the current lease is
    settled, whoever holds it. With a token a call is repeated when its answer is lost, and without one not.
    """

    def dequeue(
        self,
        queue_name: str,
        *,
        worker_id: str = "client",
        visibility_timeout: float | None = None,
        wait: float = 0.0,
    ) -> Conversation[Job | None]:
        """Take the best job of a queue under a lease, waiting for one up to ``wait`` seconds."""
        claimed = yield from self.dequeue_many(
            queue_name,
            1,
            worker_id=worker_id,
            visibility_timeout=visibility_timeout,
            wait=wait,
        )
        return claimed.jobs[0] if claimed.jobs else None

    def dequeue_many(
        self,
        queue_name: str,
        slots: int,
        *,
        worker_id: str = "client",
        visibility_timeout: float | None = None,
        wait: float = 0.0,
    ) -> Conversation[Claimed]:
        """Take up to ``slots`` jobs, as soon as there is one; an empty answer tells of a pause.

        A claim whose answer is lost is not sent again, for it may have taken jobs: the call raises
        ``ServerUnreachable``. The server takes back what it could not deliver; what it believes to have
        delivered comes back when its lease ends. To claim anew after that is safe.
        """
        left = bounds.seconds(wait, "/wait", least=0.0, most=math.inf)
        wish: dict[str, object] = {
            "worker_id": intake.worker_id(worker_id),
            "max": bounds.integer(slots, "/max", least=1, most=MAX_SLOTS),
        }
        if visibility_timeout is not None:
            wish["visibility_timeout"] = bounds.visibility_timeout(visibility_timeout)
        while True:
            now = min(left, LONGEST_WAIT_S)
            request = Request(
                method="POST",
                path=queue_path(queue_name, "dequeue"),
                body=writing.encode({**wish, "wait": now}),
                headers=JSON,
                repeat=Repeat.IF_ANSWERED,
                wait=now,
                expect=frozenset({200, NO_CONTENT}),
                about=Subject(queue_name=queue_name),
                undo=_give_back,
            )
            answer = yield from self.ask(request)
            if answer.status != NO_CONTENT:
                return Claimed(reading.claimed(answer, request.about))
            left = yield from self.rest(now, left, answer)
            if not left:
                return Claimed(paused="actorq-paused" in answer.headers)

    def ack(
        self, job: Job | str, token: str | None = None, *, result: JsonValue = None
    ) -> Conversation[Job]:
        """Complete a job: ``LeaseLost``, ``NotLeased``, ``NotFound``. A repeat succeeds again.

        ``result`` is any JSON value, as large as a payload may be; it is kept as JSON text.
        """
        job_id, token = held(job, token)
        text = None
        if result is not None:
            text = intake.json_text(result, "/result", POLICY.max_payload_bytes)
        return self._settle(Ack(job_id, token, text))

    def fail(
        self,
        job: Job | str,
        token: str | None = None,
        *,
        reason: str = "",
        retryable: bool = True,
        retry_in: float | None = None,
    ) -> Conversation[Job]:
        """Report a failure; the job comes back ``delayed`` for its retry, or ``dead``.

        ``retry_in`` (seconds) stands in for its backoff; without ``retryable`` it is not tried again.
        """
        job_id, token = held(job, token)
        failure = intake.failure(reason, retryable=retryable, retry_in=retry_in)
        return self._settle(Fail(job_id, token, failure))

    def release(
        self, job: Job | str, token: str | None = None, *, delay: float = 0.0
    ) -> Conversation[Job]:
        """Hand a job back without a failure, to be given out again after ``delay`` seconds."""
        job_id, token = held(job, token)
        return self._settle(Release(job_id, token, delay))

    def _settle(self, item: Settling) -> Conversation[Job]:
        item = _checked(item)
        action = type(item).__name__.lower()
        return self._act(item.id, item.token, action, writing.settle_body(item))

    def settle(self, items: Sequence[Settling]) -> Conversation[list[Settled | ActorqError]]:
        """Settle jobs in as few requests as they fit into; one result each, in order."""
        checked = [_checked(item) for item in items]
        bodies = [writing.settle_item(item) for item in checked]
        results: list[Settled | ActorqError] = []
        for part, body in self.batches("items", bodies):
            request = Request(
                method="POST",
                path="/jobs/settle",
                body=body,
                headers=JSON,
                repeat=_repeat(*(item.token for item in checked[part])),
            )
            about = [Subject(item.id) for item in checked[part]]
            results += batches.settled_items((yield from self.ask(request)), about)
        return results

    def extend(
        self,
        job: Job | str,
        token: str | None = None,
        *,
        visibility_timeout: float | None = None,
    ) -> Conversation[Job]:
        """Renew a lease from now on; the job tells ``cancel_requested`` and its new expiry.

        None as ``visibility_timeout``: for as many seconds as before.
        """
        job_id, token = held(job, token)
        (item,) = calls.extends([Extend(job_id, token, visibility_timeout)])
        return self._act(item.id, item.token, "extend", writing.extend_body(item))

    def renew(self, worker_id: str, leases: Sequence[Extend]) -> Conversation[Renewals]:
        """Renew the leases of a worker, each by its token, within a third of the shortest of them."""
        name = writing.segment(intake.worker_id(worker_id).replace("/", "_").replace(".", "_"))
        checked = calls.extends(leases)
        lengths = [item.visibility_timeout or USUAL_LEASE_S for item in checked]
        bodies = [writing.encode({"id": i.id, **writing.extend_body(i)}) for i in checked]
        found: list[Renewals] = []
        for part, body in self.batches("leases", bodies):
            request = Request(
                method="POST",
                path=f"/workers/{name}/heartbeat",
                body=body,
                headers=JSON,
                within=min(lengths) / 3.0,
            )
            answer = yield from self.ask(request)
            found.append(renewals.read(answer, [item.id for item in checked[part]]))
        leases_now = [lease for one in found for lease in one.leases]
        return Renewals(leases_now, drain=any(one.drain for one in found))

    def report(
        self, job: Job | str, progress: JsonValue, token: str | None = None
    ) -> Conversation[Job]:
        """Record progress, any JSON value of at most 64 KiB."""
        job_id, token = held(job, token)
        text = intake.json_text(progress, "/progress", bounds.MAX_PROGRESS_BYTES)
        return self.send_report(Report(job_id, token, text))

    def send_report(self, item: Report) -> Conversation[Job]:
        """Record progress that is JSON text already."""
        (item,) = calls.reports([item])
        body: dict[str, object] = {"progress": msgspec.Raw(item.progress.encode())}
        if item.token is not None:
            body["lease"] = item.token
        return self._act(item.id, item.token, "progress", body)

    def _act(
        self, job_id: str, token: str | None, action: str, body: dict[str, object]
    ) -> Conversation[Job]:
        request = Request(
            method="POST",
            path=path_of(job_id, action),
            body=writing.encode(body),
            headers=JSON,
            repeat=_repeat(token),
            about=Subject(job_id),
        )
        return self.ask_for_job(request)


def _repeat(*tokens: str | None) -> Repeat:
    """Say when a call under these tokens may be repeated: without one it may mean another's lease by then."""
    return Repeat.IF_UNDONE if None in tokens else Repeat.FREELY


def _checked(item: Settling) -> Settling:
    match item:
        case Ack():
            return calls.acks([item], POLICY)[0]
        case Fail():
            return calls.fails([item])[0]
        case Release():
            return calls.releases([item])[0]


def _give_back(answer: Answer) -> Request | None:
    """Make the request that hands back the jobs of a claim which nobody is there to receive."""
    if answer.status == NO_CONTENT:
        return None
    try:
        items = calls.hand_backs([Claimed(reading.claimed(answer, Subject()))])
    except BadAnswer:
        return None
    body = writing.batch("items", [writing.settle_item(item) for item in items])
    return Request(method="POST", path="/jobs/settle", body=body, headers=JSON)
