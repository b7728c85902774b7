"""Queues (contract §8): settings, limits, figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from actorq.clock import mint_token
from actorq.core.commands import Claim
from actorq.core.job import OnDuplicate
from actorq.core.policy import Retention
from actorq.core.queue import QueueEdit, QueueLength, QueueSettings, QueueStats
from actorq.core.results import Claimed, Outcome
from actorq.core.transitions import Status
from actorq.errors import QueueFull
from actorq.testing.conformance.answers import answered, created, ids, lease_of, refusal, settled
from actorq.testing.conformance.bench import LONG_S, QUEUE

if TYPE_CHECKING:
    from actorq.testing.conformance.bench import Bench


class TestPause:
    """Pausing (§8)."""

    def test_a_paused_queue_gives_nothing_out(self, bench: Bench) -> None:
        """A paused queue answers empty and says so, on every connection, until it is resumed (§8)."""
        job = bench.put()
        bench.set(QueueEdit(queue_name=QUEUE, paused=True, paused_reason="maintenance"))
        other = bench.connect()
        claim = Claim(queue_name=QUEUE, worker_id="w", tokens=(mint_token(),))
        assert other.dequeue([claim]) == [Claimed(paused=True)]
        assert other.list_queues([QUEUE])[0].settings.paused_reason == "maintenance"
        assert other.get_queue_length([QUEUE])[0] == QueueLength(
            queue_name=QUEUE, pending=1, paused=True
        )
        assert bench.get(job) == job
        other.update_queue([QueueEdit(queue_name=QUEUE, paused=False)])
        assert bench.stats().settings == QueueSettings()
        bench.take(job)

    def test_a_pause_stops_claims_only(self, bench: Bench) -> None:
        """Enqueues, settlements, promotion and the reaper go on while a queue is paused (§8)."""
        running, lost = bench.put_many(2)
        bench.take(running)
        bench.take(lost, visibility_timeout=1.0)
        delayed = bench.put(delay=0.2)
        bench.set(QueueEdit(queue_name=QUEUE, paused=True))
        waiting = bench.put()
        settled(bench.ack(running.id))
        bench.advance(1.1)
        assert ids(bench.promote().jobs) == [delayed.id]
        assert ids(bench.reap().jobs) == [lost.id]
        assert bench.length() == 3
        assert bench.get(waiting) == waiting

    def test_a_queue_can_be_paused_before_its_first_job(self, bench: Bench) -> None:
        """Settings make the queue; its first job obeys them (§8)."""
        stats = bench.set(QueueEdit(queue_name="new", paused=True))
        assert (stats.name, stats.accepted, stats.settings.paused) == ("new", 0, True)
        bench.put(queue_name="new")
        assert bench.claim(queue="new") == Claimed(paused=True)
        assert bench.claim(queue="another") == Claimed(paused=False)


class TestSettings:
    """What an operator sets (§8)."""

    def test_every_setting_comes_back(self, bench: Bench) -> None:
        """Settings are kept as given, each queue its own, and seen by every connection (§8)."""
        settings = QueueSettings(
            paused=True, paused_reason="é 😀", max_running=0, max_depth=2**53,
            visibility_timeout=12.5, retention=Retention(completed=0.5, max_dead=7),
        )  # fmt: skip
        edit = QueueEdit(queue_name=QUEUE, **structs.asdict(settings))
        assert bench.set(edit).settings == settings
        bench.put(queue_name="other")
        bench.reopen()
        assert bench.stats().settings == settings
        assert bench.stats("other").settings == QueueSettings()

    def test_only_what_is_said_changes(self, bench: Bench) -> None:
        """An edit leaves what it does not name; None gives back to the policy (§8)."""
        first, second = bench.backend.update_queue(
            [
                QueueEdit(queue_name=QUEUE, max_running=3, visibility_timeout=9.0),
                QueueEdit(queue_name=QUEUE, max_running=None, max_depth=4),
            ]
        )
        assert first.settings == QueueSettings(max_running=3, visibility_timeout=9.0)
        assert second.settings == QueueSettings(max_depth=4, visibility_timeout=9.0)
        assert bench.stats() == second

    def test_the_queues_own_visibility_timeout(self, bench: Bench) -> None:
        """A claim gets what it asks for, else the queue's, else the policy's (§8)."""
        bench.put_many(3)
        bench.set(QueueEdit(queue_name=QUEUE, visibility_timeout=7.0))
        assert lease_of(bench.take(visibility_timeout=None)).visibility_timeout == 7.0
        assert lease_of(bench.take(visibility_timeout=3.0)).visibility_timeout == 3.0
        bench.set(QueueEdit(queue_name=QUEUE, visibility_timeout=None))
        lease = lease_of(bench.take(visibility_timeout=None))
        assert lease.visibility_timeout == bench.policy.visibility_timeout


class TestMaxRunning:
    """``max_running`` bounds the leases (§8)."""

    def test_claims_stop_at_the_bound(self, bench: Bench) -> None:
        """No more jobs run than allowed, over claims, batches and connections (§8)."""
        bench.put_many(6)
        bench.set(QueueEdit(queue_name=QUEUE, max_running=3))
        claims = [
            Claim(queue_name=QUEUE, worker_id="w", tokens=(mint_token(), mint_token()))
            for _ in range(3)
        ]
        answers = bench.connect().dequeue(claims)
        assert [len(claimed.jobs) for claimed in answers] == [2, 1, 0]
        assert [claimed.limited for claimed in answers] == [False, True, True]
        assert bench.claim(5) == Claimed(limited=True)

    def test_a_claim_says_whether_it_was_limited(self, bench: Bench) -> None:
        """A claim that gets less for ``max_running`` alone says so, and no other one does (§8)."""
        bench.put_many(3)
        bench.set(QueueEdit(queue_name=QUEUE, max_running=2))
        assert not bench.claim().limited
        assert bench.claim(2).limited
        bench.set(QueueEdit(queue_name=QUEUE, max_running=9))
        assert [bench.claim(2).limited for _ in range(2)] == [False, False]
        bench.set(QueueEdit(queue_name=QUEUE, max_running=None))
        assert not bench.claim().limited

    def test_every_end_of_a_lease_makes_room(self, bench: Bench) -> None:
        """An ack, a failure, a release and an expiry each make room for exactly one (§8)."""
        bench.put_many(9)
        bench.set(QueueEdit(queue_name=QUEUE, max_running=1))
        for how in ("ack", "fail", "release", "expiry"):
            taken = bench.take(visibility_timeout=1.0)
            assert bench.claim(5).jobs == ()
            if how == "expiry":
                bench.advance(1.1)
                bench.reap()
            elif how == "ack":
                bench.ack(taken.id)
            elif how == "fail":
                bench.fail(taken.id)
            else:
                bench.release(taken.id)
        assert len(bench.claim(5).jobs) == 1

    def test_the_bound_may_change(self, bench: Bench) -> None:
        """Zero stops a queue without pausing it; a raised or lifted bound counts at once (§8)."""
        bench.put_many(4)
        for bound, gets in ((0, 0), (1, 1), (1, 0), (3, 2), (2, 0), (None, 1)):
            bench.set(QueueEdit(queue_name=QUEUE, max_running=bound))
            claimed = bench.claim(5)
            assert (len(claimed.jobs), claimed.paused) == (gets, False)


class TestMaxDepth:
    """``max_depth`` bounds the waiting jobs (§8)."""

    def test_a_full_queue_refuses(self, bench: Bench) -> None:
        """Pending and delayed jobs fill a queue, running ones do not; other queues are free (§8)."""
        bench.set(QueueEdit(queue_name=QUEUE, max_depth=2))
        bench.put()
        bench.put(delay=LONG_S)
        new = bench.new()
        assert refusal(bench.refused(new), QueueFull).queue_name == QUEUE
        assert bench.find(new.id) is None
        assert bench.stats().accepted == 2
        bench.put(queue_name="other")
        bench.take()
        assert bench.enqueue(new).outcome is Outcome.CREATED
        refusal(bench.refused(bench.new()), QueueFull)

    def test_within_one_batch(self, bench: Bench) -> None:
        """The items of a batch fill the queue one by one (architecture, rule 1)."""
        bench.set(QueueEdit(queue_name=QUEUE, max_depth=2))
        answers = bench.backend.enqueue([bench.new() for _ in range(4)])
        for answer in answers[:2]:
            created(answer)
        assert [type(answer) for answer in answers[2:]] == [QueueFull, QueueFull]
        assert bench.length() == 2

    def test_what_is_known_is_not_refused(self, bench: Bench) -> None:
        """A repeat, a duplicate and a replacement need no room (``enqueue``)."""
        plain, new = bench.new(), bench.new(dedupe_key="k")
        jobs = [bench.enqueue(each).job for each in (plain, new)]
        bench.set(QueueEdit(queue_name=QUEUE, max_depth=1))
        assert [bench.enqueue(each).job for each in (plain, new)] == jobs
        assert bench.enqueue(bench.new(dedupe_key="k")).outcome is Outcome.DUPLICATE
        wish = bench.new(dedupe_key="k", on_duplicate=OnDuplicate.REPLACE)
        assert bench.enqueue(wish).outcome is Outcome.REPLACED

    def test_what_was_accepted_comes_back(self, bench: Bench) -> None:
        """A released, expired or redriven job returns to a full queue: it was accepted (I1)."""
        dead = bench.bury()
        released, expired = bench.put_many(2)
        bench.take(released)
        bench.take(expired, visibility_timeout=1.0)
        bench.set(QueueEdit(queue_name=QUEUE, max_depth=1))
        bench.put()
        settled(bench.release(released.id))
        bench.advance(1.1)
        assert ids(bench.reap().jobs) == [expired.id]
        bench.redrive(dead)
        assert bench.length() == 4


class TestFigures:
    """Lengths and statistics (§8, I13)."""

    def test_an_unknown_queue_is_empty(self, bench: Bench) -> None:
        """A queue that nobody ever used has length 0 and no figures, and is not made by asking (§8)."""
        assert bench.backend.get_queue_length(["none"]) == [QueueLength(queue_name="none")]
        assert bench.stats("none") == QueueStats(name="none", counts=dict.fromkeys(Status, 0))
        assert bench.claim(queue="none") == Claimed()
        assert bench.backend.list_queues() == []

    def test_the_length_is_exact(self, bench: Bench) -> None:
        """The length counts pending jobs only, after every kind of step (§8)."""
        bench.put_many(3)
        bench.put_many(2, delay=LONG_S)
        assert bench.length() == 3
        taken = bench.take()
        lengths = bench.backend.get_queue_length(["none", QUEUE, QUEUE])
        known = QueueLength(queue_name=QUEUE, pending=2, delayed=2, running=1)
        assert lengths == [QueueLength(queue_name="none"), known, known]
        bench.release(taken.id)
        bench.cancel(taken)
        assert bench.length() == 2

    def test_queues_are_listed_by_name(self, bench: Bench) -> None:
        """The list has every queue once, by name, or the named ones in the order asked for (§9)."""
        names = ["b", "a", "B", "a.b", "a:b", "_"]
        for name in names:
            bench.put(queue_name=name)
        assert [stats.name for stats in bench.backend.list_queues()] == sorted(names)
        asked = ["b", "none", "a", "b"]
        assert [stats.name for stats in bench.backend.list_queues(asked)] == asked

    def test_the_oldest_pending_job(self, bench: Bench) -> None:
        """The figures tell when the oldest pending job was made, whatever its priority (§9)."""
        old = bench.put()
        bench.advance(0.2)
        urgent = bench.put(priority=9)
        bench.put(delay=LONG_S)
        assert bench.stats().oldest_pending_at == old.created_at < urgent.created_at
        bench.cancel(old)
        assert bench.stats().oldest_pending_at == urgent.created_at
        bench.take(urgent)
        assert bench.stats().oldest_pending_at is None

    def test_conservation(self, bench: Bench) -> None:
        """Accepted is the sum over all states plus what was pruned, at every step (I13)."""
        bench.put_many(3)
        bench.put_many(2, delay=LONG_S)
        for _ in range(2):
            bench.take()
        bench.ack(bench.claim().jobs[0].id)
        dead = bench.bury()
        bench.cancel(bench.put())
        counts = {Status.PENDING: 0, Status.DELAYED: 2, Status.RUNNING: 2}
        counts |= {Status.COMPLETED: 1, Status.DEAD: 1, Status.CANCELLED: 1}
        assert bench.stats() == QueueStats(name=QUEUE, counts=counts, accepted=7)
        answered(bench.backend.delete([dead.id])[0])
        counts[Status.DEAD] = 0
        assert bench.stats() == QueueStats(name=QUEUE, counts=counts, accepted=7, pruned=1)
