"""Routes of a worker: settling, renewing, reporting, and the heartbeat of all its leases."""

from __future__ import annotations

import msgspec
import pytest

from actorq.http import AppOptions
from tests.http.door import NOBODY, Door, open_door

SETTLING = [("ack", "completed"), ("fail", "delayed"), ("release", "pending")]


class HeldNow(msgspec.Struct):
    """How one lease stands."""

    id: str
    status: str
    expires_at: str | None = None
    visibility_timeout: float | None = None


class Heartbeat(msgspec.Struct):
    """The answer to a heartbeat."""

    leases: list[HeldNow]
    directive: str


@pytest.mark.parametrize(("verb", "status"), SETTLING)
async def test_a_bare_call_settles_the_current_lease(verb: str, status: str) -> None:
    """An empty body settles whatever lease is current; without one it is 409 (§4, §9)."""
    async with open_door() as door:
        job = await door.held()
        settled = await door.call("POST", f"/jobs/{job.id}/{verb}")
        assert settled.job().status == status
        assert settled.headers["etag"] == f'"{settled.job().version}"'
        assert settled.job().lease is None
        again = await door.call("POST", f"/jobs/{job.id}/{verb}")
        refusal = again.problem(409, "not_leased")
        assert (refusal.job_id, refusal.job_status) == (job.id, status)


@pytest.mark.parametrize(("verb", "status"), SETTLING)
async def test_a_repeat_is_answered_again(verb: str, status: str) -> None:
    """The same call with the same token once more: success, and the job as it now stands (§4)."""
    async with open_door() as door:
        job = await door.held()
        for lease in (job.token, msgspec.to_builtins(job.lease)):
            answer = await door.call("POST", f"/jobs/{job.id}/{verb}", {"lease": lease})
            assert answer.job().status == status


@pytest.mark.parametrize(
    ("verb", "extra"),
    [("ack", {}), ("fail", {}), ("release", {}), ("extend", {}), ("progress", {"progress": 1})],
)
async def test_a_stale_token_changes_nothing(verb: str, extra: dict[str, object]) -> None:
    """A token of an earlier lease: 409 ``lease_lost`` also while the next holder runs (§4, I6)."""
    async with open_door() as door:
        stale = await door.held()
        await door.call("POST", f"/jobs/{stale.id}/release")
        job = await door.take()
        assert job.id == stale.id
        body = {"lease": stale.token, **extra}
        if verb != "release":
            answer = await door.call("POST", f"/jobs/{job.id}/{verb}", body)
            assert answer.problem(409, "lease_lost").job_id == job.id
        made_up = await door.call("POST", f"/jobs/{job.id}/{verb}", {**body, "lease": "made up"})
        made_up.problem(409, "lease_lost")
        assert (await door.look(job.id)).version == job.version


async def test_an_ack_keeps_the_result() -> None:
    """The result is any JSON value, shown with the job just as it was sent (§1, §9)."""
    async with open_door() as door:
        results: list[object] = [{"a": [1, 2.5, None, "é"]}, "text", 0, False, [], 10**300]
        for result in results:
            job = await door.held()
            body = {"lease": job.token, "result": result}
            done = (await door.call("POST", f"/jobs/{job.id}/ack", body)).job()
            assert (done.status, done.result) == ("completed", result)
        job = await door.held()
        done = (await door.call("POST", f"/jobs/{job.id}/ack", {"result": None})).job()
        assert done.result is None


async def test_a_failure_says_what_happens_next() -> None:
    """A retry left: delayed until its backoff is over; none left or not retryable: dead (§2, §9)."""
    async with open_door() as door:
        job = await door.held(max_retries=1)
        retried = (await door.call("POST", f"/jobs/{job.id}/fail", {"error": "boom"})).job()
        assert (retried.status, retried.retry_count) == ("delayed", 1)
        assert (retried.available_at or "") > "2026-01-01T00:00:00.8"
        assert [error.message for error in retried.errors] == ["boom"]
        rejected = await door.held()
        body = {"lease": rejected.token, "reason": "no", "retryable": False}
        dead = (await door.call("POST", f"/jobs/{rejected.id}/fail", body)).job()
        assert (dead.status, dead.dead_reason) == ("dead", "rejected")


async def test_a_failure_may_name_its_delay() -> None:
    """``retry_in`` decides when the next attempt is due (§2)."""
    async with open_door() as door:
        job = await door.held()
        failed = (await door.call("POST", f"/jobs/{job.id}/fail", {"retry_in": "1m"})).job()
        assert failed.available_at == "2026-01-01T00:01:00.000000Z"
        both = await door.call("POST", f"/jobs/{job.id}/fail", {"reason": "a", "error": "b"})
        assert both.places() == ["/error"]


async def test_a_release_may_wait() -> None:
    """``delay`` holds a released job back; the hand-back is counted, no retry is spent (§2)."""
    async with open_door() as door:
        job = await door.held()
        body = {"lease": job.token, "delay": 30}
        released = (await door.call("POST", f"/jobs/{job.id}/release", body)).job()
        assert (released.status, released.interruptions, released.retry_count) == ("delayed", 1, 0)
        assert released.available_at == "2026-01-01T00:00:30.000000Z"


@pytest.mark.parametrize("name", ["visibility_timeout", "seconds"])
async def test_a_lease_is_renewed(name: str) -> None:
    """An extension counts from now, keeps the token, and says what is asked of the holder (§4)."""
    async with open_door() as door:
        job = await door.held()
        door.clock.advance(20)
        body = {"lease": job.token, name: "1m"}
        extended = (await door.call("POST", f"/jobs/{job.id}/extend", body)).job()
        assert extended.directive == "continue"
        assert extended.lease is not None
        assert extended.lease.expires_at == "2026-01-01T00:01:20.000000Z"
        assert extended.token == job.token
        assert extended.lease.visibility_timeout == 60.0


async def test_a_token_is_shown_to_nobody_else() -> None:
    """Neither a reader nor a bare call sees the token of a lease (§1)."""
    async with open_door() as door:
        job = await door.held()
        answers = [
            await door.call("GET", f"/jobs/{job.id}"),
            await door.call("GET", "/jobs"),
            await door.call("POST", f"/jobs/{job.id}/extend"),
            await door.call("POST", f"/jobs/{job.id}/progress", {"progress": 1}),
            await door.call("POST", f"/jobs/{job.id}/cancel"),
        ]
        for answer in answers:
            assert answer.status == 200
            assert b'"running"' in answer.body
            assert job.token.encode() not in answer.body


async def test_an_extension_has_bounds() -> None:
    """1 s to 12 h, and one way to say it: 422 otherwise (§4)."""
    async with open_door() as door:
        job = await door.held()
        for seconds in (0.5, 43_201, "13h", -1):
            answer = await door.call("POST", f"/jobs/{job.id}/extend", {"seconds": seconds})
            assert answer.places() == ["/seconds"]
        both = {"seconds": 5, "visibility_timeout": 6}
        assert (await door.call("POST", f"/jobs/{job.id}/extend", both)).places() == ["/seconds"]
        assert (await door.look(job.id)).version == job.version


async def test_progress_is_recorded() -> None:
    """POST /jobs/:id/progress keeps any JSON value of at most 64 KiB (§1)."""
    async with open_door() as door:
        job = await door.held()
        body = {"lease": job.token, "progress": {"done": 3}}
        assert (await door.call("POST", f"/jobs/{job.id}/progress", body)).job().progress == {
            "done": 3
        }
        large = {"lease": job.token, "progress": "x" * 65_536}
        assert (await door.call("POST", f"/jobs/{job.id}/progress", large)).places() == [
            "/progress"
        ]
        nothing = await door.call("POST", f"/jobs/{job.id}/progress", {})
        assert nothing.places() == ["/progress"]


async def test_a_holder_learns_of_a_drain() -> None:
    """While the server goes away an extension still holds, and says ``drain`` (§4)."""
    async with open_door() as door:
        job = await door.held()
        door.runtime.drain()
        extended = await door.call("POST", f"/jobs/{job.id}/extend", {"lease": job.token})
        assert extended.job().directive == "drain"
        assert (await beat(door, {"id": job.id, "lease": job.token})).directive == "drain"


async def beat(door: Door, *leases: dict[str, object], **usual: object) -> Heartbeat:
    """Send the heartbeat of a worker."""
    body = {"leases": leases, **usual}
    answer = await door.call("POST", "/workers/w-1/heartbeat", body)
    assert answer.status == 200, answer
    return answer.read(Heartbeat)


async def test_a_heartbeat_tells_of_each_lease() -> None:
    """One call renews many leases; each is ``ok``, ``lost`` or ``cancel``, in order (§9)."""
    async with open_door() as door:
        held, stopped, ended, other = [await door.held() for _ in range(4)]
        await door.call("POST", f"/jobs/{stopped.id}/cancel")
        await door.call("POST", f"/jobs/{ended.id}/ack")
        door.clock.advance(10)
        answer = await beat(
            door,
            {"id": held.id, "lease": held.token},
            {"id": stopped.id, "lease": {"token": stopped.token}, "visibility_timeout": 5},
            {"id": ended.id, "lease": ended.token},
            {"id": other.id, "lease": "made up"},
            {"id": NOBODY, "lease": "t"},
            {"id": "no id", "lease": "t"},
            visibility_timeout="1m",
        )
        assert [lease.status for lease in answer.leases] == [
            "ok",
            "cancel",
            "lost",
            "lost",
            "lost",
            "lost",
        ]
        assert [lease.id for lease in answer.leases[:2]] == [held.id, stopped.id]
        assert answer.leases[0].expires_at == "2026-01-01T00:01:10.000000Z"
        assert answer.leases[1].visibility_timeout == 5.0
        assert answer.directive == "continue"
        assert (await beat(door)).leases == []


async def test_a_heartbeat_is_checked() -> None:
    """A wrong member names its place in the list; the number of leases is bounded (§9)."""
    async with open_door(AppOptions(max_batch=2)) as door:
        lease = {"id": NOBODY, "lease": "t"}
        target = "/workers/w/heartbeat"
        wrong = {"leases": [lease, {**lease, "visibility_timeout": 0}]}
        assert (await door.call("POST", target, wrong)).places() == ["/leases/1/visibility_timeout"]
        many = {"leases": [lease] * 3}
        assert (await door.call("POST", target, many)).places() == ["/leases"]
        bare = {"leases": [{"id": NOBODY}]}
        assert (await door.call("POST", target, bare)).places() == ["/leases/0/lease"]
        unnamed = await door.call("POST", "/workers//heartbeat", {"leases": []})
        assert unnamed.places() == ["/worker_id"]
