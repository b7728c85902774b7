"""Several servers on one store are one queue: what one is told holds at all of them (§8)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from actorq.runtime import BEAT_S
from tests.e2e.doors import Waiter

if TYPE_CHECKING:
    from tests.e2e.doors import Pair

BUSY_S: Final = 5.0
"""Seconds that anything may take more on a machine with much else to do."""


def test_a_life_may_go_from_server_to_server(pair: Pair) -> None:
    """A job is put at one server, claimed at the other and settled at the first (I5, I6)."""
    job = pair.here.put("travelling")
    taken = pair.there.taken("travelling")
    assert taken.id == job.id
    assert pair.here.take("travelling") is None
    done = pair.here.settle("ack", taken)
    assert done.status == "completed"
    assert pair.there.settle("ack", taken).status == "completed"


def test_a_pause_holds_everywhere_at_once(pair: Pair) -> None:
    """After a pause at one server the other gives out nothing, and says why (§8)."""
    pair.here.put("paused")
    pair.here.order("paused", "pause")
    answer = pair.there.ask("POST", "/queues/paused/dequeue")
    assert (answer.status, answer.headers["actorq-paused"]) == (204, "true")
    pair.there.order("paused", "resume")
    assert pair.here.take("paused") is not None


def test_settings_of_a_queue_hold_everywhere(pair: Pair) -> None:
    """Bounds and defaults that one server was given are kept by the other's very next answer (§8)."""
    pair.here.set("set", max_running=1, max_depth=2, visibility_timeout=77)
    pair.there.put("set")
    pair.there.put("set")
    refused = pair.there.ask("POST", "/jobs", {"queue_name": "set", "payload": "x"})
    assert (refused.status, "retry-after" in refused.headers) == (429, True)
    taken = pair.there.taken("set")
    assert taken.lease is not None
    assert taken.lease.visibility_timeout == 77
    assert pair.here.take("set") is None
    assert pair.there.take("set") is None


def test_room_that_one_server_makes_is_used_by_another(pair: Pair) -> None:
    """A bound of running jobs is one for all servers: an ack at one lets a waiter at the other in (§8)."""
    pair.here.set("narrow", max_running=1)
    pair.here.put_many("narrow", 2)
    held = pair.here.taken("narrow")
    waiter = Waiter(pair.there, "narrow")
    pair.here.settle("ack", held)
    assert waiter.result().job.id != held.id


def test_a_cancel_reaches_the_holder_through_its_own_server(pair: Pair) -> None:
    """Who renews a lease at one server is told of a cancel that another has taken (§4)."""
    pair.here.put("cancelled")
    taken = pair.there.taken("cancelled")
    assert pair.there.settle("extend", taken).directive == "continue"
    answer = pair.here.ask("POST", f"/jobs/{taken.id}/cancel")
    assert answer.status in {200, 202}, answer
    assert pair.there.settle("extend", taken).directive == "cancel"
    beat = {"leases": [{"id": taken.id, "lease": taken.token}]}
    held = pair.there.ask("POST", "/workers/w/heartbeat", beat)
    assert held.status == 200, held
    assert "'status': 'cancel'" in str(held.body)
    assert pair.there.settle("release", taken).status == "cancelled"


def test_keys_are_known_everywhere(pair: Pair) -> None:
    """A dedupe key and an idempotency key that one server has seen are known to the other (§6)."""
    first = pair.here.put("keys", dedupe_key="d", idempotency_key="i")
    again = pair.there.put("keys", dedupe_key="d")
    assert again.id == first.id
    replay = pair.there.ask(
        "POST",
        "/jobs",
        {"queue_name": "keys", "payload": "x", "dedupe_key": "d", "idempotency_key": "i"},
    )
    assert (replay.status, replay.headers["idempotent-replayed"]) == (201, "true")
    other = {"queue_name": "keys", "payload": "other", "idempotency_key": "i"}
    assert pair.there.ask("POST", "/jobs", other).status == 422


def test_who_watches_a_job_sees_what_another_server_did(pair: Pair) -> None:
    """A watch at one server ends when the job changes at another, within the beat (§9)."""
    pair.here.put("watched")
    taken = pair.here.taken("watched")
    tag = pair.there.ask("GET", f"/jobs/{taken.id}").headers["etag"]
    with ThreadPoolExecutor() as pool:
        watch = pool.submit(pair.there.changed, taken.id, tag)
        pair.here.settle("ack", taken)
        assert watch.result(BEAT_S + BUSY_S).status == "completed"


def test_a_lease_that_runs_out_is_work_for_any_server(pair: Pair) -> None:
    """A job whose holder fell silent comes to whoever waits, and its late holder changes nothing (I6)."""
    pair.here.put("silent")
    taken = pair.here.taken("silent", visibility_timeout=1)
    again = Waiter(pair.there, "silent").result().job
    assert (again.id, again.attempt, again.expiries) == (taken.id, 2, 1)
    late = pair.here.ask("POST", f"/jobs/{taken.id}/ack", {"lease": taken.token})
    assert (late.status, "lease_lost" in str(late.body)) == (409, True)
    assert pair.there.settle("ack", again).status == "completed"
