"""Broken histories, seen from the outside: time, keys, order, figures, payloads, onlookers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from actorq.testing.invariants import events as e
from tests.testing.invariants.broken import breaks
from tests.testing.invariants.scribe import SECOND

if TYPE_CHECKING:
    from tests.testing.invariants.scribe import Scribe


@breaks("I9")
def before_its_delay(h: Scribe) -> None:
    h.submit(delay=5.0)
    h.wait(4.0)
    h.claim()


@breaks("I9")
def before_its_next_try(h: Scribe) -> None:
    h.submit()
    h.claim()
    h.settle("fail", delay=5.0)
    h.wait(4.0)
    h.claim(token=SECOND, attempt=2)


@breaks("I9", lateness=1.0)
def late_for_its_claim(h: Scribe) -> None:
    call = h.call()
    h.note(e.Claim, "worker", call=call, queue="q", wait=20.0)
    h.submit()
    h.wait(2.0)
    h.note(e.Claimed, "worker", call=call, jobs=(h.taken("a", "t1", 1),))


@breaks("I9", lateness=1.0)
def kept_from_a_claim(h: Scribe) -> None:
    h.submit()
    call = h.call()
    h.note(e.Claim, "worker", call=call, queue="q", wait=2.0)
    h.wait(2.0)
    h.note(e.Claimed, "worker", call=call)
    h.claim()


@breaks("I10")
def two_jobs_of_one_key(h: Scribe) -> None:
    h.submit("a", dedupe_key="k")
    h.submit("b", dedupe_key="k")


@breaks("I10")
def two_jobs_in_one_window(h: Scribe) -> None:
    h.submit("a", dedupe_key="k", dedupe_window=60.0)
    h.claim()
    h.settle("ack")
    h.wait(50.0)
    h.submit("b", dedupe_key="k")


@breaks("I10")
def not_the_holder(h: Scribe) -> None:
    h.submit("a", dedupe_key="k")
    call = h.ask_for(e.Request(queue="q", payload=e.digest("pb"), dedupe_key="l"))
    h.accept(call, "a", outcome="duplicate")


@breaks("I10")
def a_key_of_the_past(h: Scribe) -> None:
    h.submit("a", dedupe_key="k")
    h.ask("cancel")
    h.see("cancelled")
    call = h.ask_for(e.Request(queue="q", payload=e.digest("pb"), dedupe_key="k"))
    h.refuse(call, "duplicate_job", job_id="a")


@breaks("I11")
def two_jobs_of_one_request(h: Scribe) -> None:
    request = h.submit("a", idempotency_key="i")
    h.accept(h.ask_for(request), "b", replayed=True)


@breaks("I11")
def two_requests_of_one_key(h: Scribe) -> None:
    request = h.submit("a", idempotency_key="i")
    h.accept(h.ask_for(replace(request, priority=1)), "a", replayed=True)


@breaks("I11")
def a_replay_that_is_not_called_one(h: Scribe) -> None:
    request = h.submit("a", idempotency_key="i")
    h.accept(h.ask_for(request), "a")


@breaks("I11")
def a_repeat_refused(h: Scribe) -> None:
    request = h.submit("a", idempotency_key="i")
    h.refuse(h.ask_for(request), "idempotency_key_reused")


@breaks("I11")
def another_id_than_was_minted(h: Scribe) -> None:
    call = h.ask_for(e.Request(queue="q", payload=e.digest("pa"), job_id="a"))
    h.accept(call, "b")


@breaks("I12")
def the_worse_one_first(h: Scribe) -> None:
    h.submit("b", priority=5)
    h.submit("a")
    h.claim("a")
    h.claim("b", token=SECOND, priority=5)


@breaks("I12")
def the_later_one_first(h: Scribe) -> None:
    h.submit("a")
    h.submit("b")
    h.claim("b")
    h.claim("a", token=SECOND)


@breaks("I13")
def not_all_accounted_for(h: Scribe) -> None:
    h.submit()
    h.quiet()
    h.count(1)


@breaks("I13")
def more_than_anybody_asked_for(h: Scribe) -> None:
    h.submit()
    h.quiet()
    h.count(2, pending=2)


@breaks("I13")
def figures_unlike_the_list(h: Scribe) -> None:
    h.submit()
    h.quiet()
    h.listed("a", status="pending")
    h.count(1, pending=0, delayed=1)


@breaks("I14")
def dead_and_no_errors(h: Scribe) -> None:
    h.submit()
    h.see("dead", dead_reason="expired", errors=())


@breaks("I14")
def dead_since_never(h: Scribe) -> None:
    h.submit()
    h.see("dead", ended=False)


@breaks("I14")
def alive_and_a_reason_to_be_dead(h: Scribe) -> None:
    h.submit()
    h.see("pending", dead_reason="expired")


@breaks("I14")
def dead_and_no_dead_letter(h: Scribe) -> None:
    h.submit()
    h.quiet()
    h.see("dead")
    h.listed(status="dead")


@breaks("I15")
def another_payload(h: Scribe) -> None:
    h.submit()
    h.claim(payload=e.digest("broken"))


@breaks("I16")
def another_jobs_payload(h: Scribe) -> None:
    h.submit("a")
    h.submit("b")
    h.claim(payload=e.digest("pb"))


@breaks("I16")
def an_answer_about_another(h: Scribe) -> None:
    h.submit("a")
    h.submit("b")
    call = h.call()
    h.note(e.Ask, "client", call=call, verb="look", job_id="a")
    h.note(e.Answered, "client", call=call, seen=h.seen("pending", "b"))


@breaks("I16")
def a_job_of_another_queue(h: Scribe) -> None:
    h.submit()
    h.claim(queue="r")


@breaks("I16")
def one_claim_for_two_callers(h: Scribe) -> None:
    h.submit()
    first, second = h.call(), h.call()
    h.note(e.Claim, "worker", call=first, queue="q")
    h.note(e.Claim, "worker", call=second, queue="q")
    h.note(e.Claimed, "worker", call=first, jobs=(h.taken("a", "t1", 1),))
    h.note(e.Claimed, "worker", call=second, jobs=(h.taken("a", "t1", 1),))


@breaks("I17", recovery=5.0)
def still_waiting(h: Scribe) -> None:
    h.submit()
    h.note(e.Healed, "scribe")
    h.wait(6.0)
    h.see("pending")


@breaks("I17", recovery=5.0)
def due_for_long(h: Scribe) -> None:
    h.submit()
    h.note(e.Healed, "scribe")
    h.wait(6.0)
    h.see("delayed", due_in=-1.0)


@breaks("I17", recovery=5.0)
def still_counted(h: Scribe) -> None:
    h.submit()
    h.note(e.Healed, "scribe")
    h.wait(6.0)
    h.quiet()
    h.count(1, running=1)


@breaks("I17", recovery=5.0)
def still_listed(h: Scribe) -> None:
    h.submit()
    h.note(e.Healed, "scribe")
    h.wait(6.0)
    h.listed("a", status="pending")


@breaks("I18")
def too_many_tasks(h: Scribe) -> None:
    h.note(e.Measured, "server-1", what="tasks", value=101.0, bound=100.0)


@breaks("I19")
def two_jobs_for_a_tick(h: Scribe) -> None:
    for job_id in ("a", "b"):
        h.note(e.Ticked, "audit", schedule="nightly", tick="2026-01-01", job_id=job_id)


@breaks("I19")
def no_job_for_a_tick(h: Scribe) -> None:
    h.note(e.TickDue, "audit", schedule="nightly", tick="2026-01-01")


@breaks("I20")
def ready_without_a_store(h: Scribe) -> None:
    h.note(e.Reach, "trouble", server="server-1", reachable=False)
    h.wait(3.0)
    h.note(e.Health, "audit", server="server-1", since=h.at, ready=True)


@breaks("I20")
def not_ready_for_no_reason(h: Scribe) -> None:
    h.note(e.Reach, "trouble", server="server-1", reachable=True)
    h.wait(3.0)
    h.note(e.Health, "audit", server="server-1", since=h.at, ready=False)
