"""Routes on single jobs: what a bare client gets, and every refusal."""

from __future__ import annotations

import pytest

from actorq.http import AppOptions
from tests.http.door import NOBODY, open_door
from tests.http.shown import Answer


async def test_a_job_is_shown_with_its_version() -> None:
    """GET /jobs/:id: 200 with ETag; 304 for who has it; HEAD as GET without the body (§9)."""
    async with open_door() as door:
        job = await door.put()
        shown = await door.call("GET", f"/jobs/{job.id}")
        assert shown.job() == job
        assert shown.headers["etag"] == '"1"'
        for tags in ('"1"', 'W/"1"', '"7", "1"', "*", "1"):
            known = await door.call("GET", f"/jobs/{job.id}", headers={"If-None-Match": tags})
            assert (known.status, known.body) == (304, b"")
            assert known.headers["etag"] == '"1"'
        for tags in ('"2"', '"x"', '""'):
            other = await door.call("GET", f"/jobs/{job.id}", headers={"If-None-Match": tags})
            assert other.job() == job
        head = await door.call("HEAD", f"/jobs/{job.id}")
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == shown.headers["content-length"]


@pytest.mark.parametrize("tags", ["", '"1', '"1" "2"', '"1",', "x", '"1";', "W/1, a"])
async def test_malformed_entity_tags_are_refused(tags: str) -> None:
    """If-None-Match and If-Match that are no list of entity tags: 422 (§9)."""
    async with open_door() as door:
        job = await door.put()
        seen = await door.call("GET", f"/jobs/{job.id}", headers={"If-None-Match": tags})
        assert seen.places() == [""]
        edited = await door.call(
            "PATCH", f"/jobs/{job.id}", {"priority": 1}, headers={"If-Match": tags}
        )
        assert edited.places() == [""]


async def test_a_waiting_job_is_changed() -> None:
    """PATCH /jobs/:id changes what is named and leaves the rest (§9)."""
    async with open_door() as door:
        job = await door.put(priority=3)
        changed = await door.call(
            "PATCH", f"/jobs/{job.id}", {"payload": "new", "delay": "10s", "metadata": {"a": "b"}}
        )
        assert changed.headers["etag"] == '"2"'
        after = changed.job()
        assert (after.payload, after.priority, after.metadata) == ("new", 3, {"a": "b"})
        assert (after.status, after.available_at) == ("delayed", "2026-01-01T00:00:10.000000Z")


async def test_a_change_belongs_to_a_version() -> None:
    """If-Match: the right version or any holds; another is 412 and changes nothing (§9)."""
    async with open_door() as door:
        job = await door.put()

        async def edit(tags: str) -> Answer:
            return await door.call(
                "PATCH", f"/jobs/{job.id}", {"priority": 1}, headers={"If-Match": tags}
            )

        for tags in ('"2"', '"x"', 'W/"1"', '"4", "5"'):
            assert (await edit(tags)).problem(412, "stale_version").version == 1
        for number, tags in enumerate(('"1"', "*", '"9", "3"', "4"), 2):
            assert (await edit(tags)).job().version == number


async def test_a_running_job_is_not_changed() -> None:
    """PATCH once running: 409; of a job that is not there: 404 (§9)."""
    async with open_door() as door:
        job = await door.held()
        answer = await door.call("PATCH", f"/jobs/{job.id}", {"priority": 1})
        answer.problem(409, "illegal_transition")
        nobody = await door.call("PATCH", f"/jobs/{NOBODY}", {"priority": 1})
        assert nobody.problem(404, "not_found").job_id == NOBODY


async def test_an_ended_job_is_removed() -> None:
    """DELETE /jobs/:id: 200 with what it was, once ended; then 404 (§9)."""
    async with open_door() as door:
        job = await door.put()
        (await door.call("DELETE", f"/jobs/{job.id}")).problem(409, "illegal_transition")
        cancelled = (await door.call("POST", f"/jobs/{job.id}/cancel")).job()
        assert cancelled.status == "cancelled"
        assert (await door.call("DELETE", f"/jobs/{job.id}")).job().status == "cancelled"
        (await door.call("GET", f"/jobs/{job.id}")).problem(404, "not_found")
        (await door.call("DELETE", f"/jobs/{job.id}")).problem(404, "not_found")


async def test_a_running_job_is_asked_to_stop() -> None:
    """POST /jobs/:id/cancel of a running job: 200, and its holder is asked (§2, §4)."""
    async with open_door() as door:
        job = await door.held()
        asked = (await door.call("POST", f"/jobs/{job.id}/cancel", {})).job()
        assert (asked.status, asked.cancel_requested) == ("running", True)
        extended = await door.call("POST", f"/jobs/{job.id}/extend", {"lease": job.token})
        assert extended.job().directive == "cancel"


async def test_an_ended_job_is_not_cancelled() -> None:
    """Cancelling a completed job: 409; twice is once (§2)."""
    async with open_door() as door:
        job = await door.held()
        await door.call("POST", f"/jobs/{job.id}/ack")
        (await door.call("POST", f"/jobs/{job.id}/cancel")).problem(409, "illegal_transition")
        other = await door.put()
        for _ in range(2):
            answer = await door.call("POST", f"/jobs/{other.id}/cancel")
            assert answer.job().status == "cancelled"


async def test_a_dead_job_lives_again() -> None:
    """POST /jobs/:id/redrive: pending again, the history kept; only of a dead job (§2, I14)."""
    async with open_door() as door:
        job_id = await door.bury()
        again = (await door.call("POST", f"/jobs/{job_id}/redrive")).job()
        assert (again.status, again.retry_count, again.attempt) == ("pending", 0, 1)
        assert [error.message for error in again.errors] == ["boom"]
        (await door.call("POST", f"/jobs/{job_id}/redrive")).problem(409, "illegal_transition")


async def test_a_redrive_may_find_its_key_held() -> None:
    """Redrive of a job whose dedupe key a live job holds by now: 409 naming that job (§2)."""
    async with open_door() as door:
        job_id = await door.bury(dedupe_key="k")
        holder = await door.put(dedupe_key="k")
        answer = await door.call("POST", f"/jobs/{job_id}/redrive")
        assert answer.problem(409, "duplicate_job").job_id == holder.id


async def test_at_most_once_is_not_redriven() -> None:
    """Redrive of an at-most-once job that was ever claimed: 409 (§2)."""
    async with open_door() as door:
        job_id = await door.bury(delivery="at_most_once")
        (await door.call("POST", f"/jobs/{job_id}/redrive")).problem(409, "already_started")


@pytest.mark.parametrize(
    "tail", ["", "/ack", "/fail", "/extend", "/release", "/cancel", "/redrive"]
)
@pytest.mark.parametrize("job_id", [NOBODY, "1", "x" * 300, NOBODY.upper() + "A", "%F0%9F%98%80"])
async def test_an_unknown_job_is_not_found(tail: str, job_id: str) -> None:
    """An id that no job has, or that is no id at all: 404 on every route (§9)."""
    async with open_door() as door:
        method = "POST" if tail else "GET"
        (await door.call(method, f"/jobs/{job_id}{tail}")).problem(404, "not_found")


async def test_a_wait_needs_a_version() -> None:
    """``?wait`` without If-None-Match, or beyond 20 s: 422 (§9)."""
    async with open_door() as door:
        job = await door.put()
        assert (await door.call("GET", f"/jobs/{job.id}?wait=1")).places() == ["/wait"]
        headers = {"If-None-Match": '"1"'}
        for wait in ("21", "-1", "x", "nan", "1e3", "1e999", "", "1" * 400):
            answer = await door.call("GET", f"/jobs/{job.id}?wait={wait}", headers=headers)
            assert answer.places() == ["/wait"]
        unknown = await door.call("GET", f"/jobs/{job.id}?wiat=1")
        assert unknown.places() == ["/wiat"]


async def test_a_wait_ends_with_its_time() -> None:
    """``?wait`` over without a change: 304; a version that is old already: 200 at once (§9)."""
    async with open_door() as door:
        job = await door.put()
        for wait in ("0.02", "2e-2", "0.02s", "0.0200000001"):
            target = f"/jobs/{job.id}?wait={wait}"
            assert (await door.call("GET", target, headers={"If-None-Match": '"1"'})).status == 304
        stale = await door.call("GET", f"/jobs/{job.id}?wait=20", headers={"If-None-Match": '"9"'})
        assert stale.job() == job


async def test_a_lease_is_needed_where_tokens_are() -> None:
    """REQUIRE_LEASE_TOKEN: 428 for every bare call of a holder, and nothing changes (§4)."""
    async with open_door(AppOptions(require_lease_token=True)) as door:
        job = await door.held()
        for verb, body in (
            ("ack", None),
            ("fail", None),
            ("extend", {"seconds": 5}),
            ("release", {}),
            ("progress", {"progress": 1}),
        ):
            answer = await door.call("POST", f"/jobs/{job.id}/{verb}", body)
            answer.problem(428, "token_required")
        assert (await door.look(job.id)).version == job.version
        done = await door.call("POST", f"/jobs/{job.id}/ack", {"lease": job.token})
        assert done.job().status == "completed"
