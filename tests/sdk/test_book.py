"""The book of leases: what is due, what is overdue, and what a renewal means."""

from __future__ import annotations

from actorq.sdk.door import Held, Renewal, Renewals
from actorq.sdk.worker.book import LeaseBook, Round
from actorq.sdk.worker.hold import Hold, Why
from tests.sdk.holds import held


class Desk:
    """A book on a clock that is moved by hand, and how often somebody was woken."""

    def __init__(self) -> None:
        self.now = 100.0
        self.woken = 0
        self.book = LeaseBook(lambda: self.now)
        self.book.wake = self.wake

    def wake(self) -> None:
        """Count."""
        self.woken += 1

    def due(self) -> Round:
        """Return the round that is due now; there must be one."""
        made = self.book.due()
        assert made is not None
        return made

    def answer(self, *statuses: Held, seconds: float = 30.0) -> list[Hold]:
        """Make the round that is due; return what is to be stopped."""
        self.book.renewed(self.due(), Renewals([Renewal(each, seconds) for each in statuses]))
        return list(self.book.stopped())


def test_a_lease_is_due_at_a_third_and_over_at_its_end() -> None:
    """Counted from the moment at which the claim was sent (§4)."""
    desk = Desk()
    hold = held(sent=95.0)
    desk.book.add([hold])
    assert (hold.renew_at, hold.expires) == (105.0, 125.0)
    assert desk.book.next_due() == 105.0
    assert desk.book.due() is None
    desk.now = 105.0
    assert [each.id for each in desk.due().leases] == [hold.job.id]
    desk.now = 125.0
    assert desk.book.due() is None
    assert (hold.stopping, list(desk.book.stopped())) == (Why.OVERDUE, [hold])
    assert desk.book.next_due() is None


def test_all_leases_are_renewed_as_soon_as_one_is_due() -> None:
    """One call for all: the next is a third of a lease away for each."""
    desk = Desk()
    early, late = held(1, sent=90.0), held(2, sent=99.0)
    desk.book.add([early, late])
    desk.now = 101.0
    assert desk.due().holds == [early, late]
    assert desk.answer(Held.OK, Held.OK) == []
    assert (early.renew_at, late.expires) == (111.0, 131.0)
    assert desk.book.due() is None


def test_a_renewal_counts_from_the_moment_it_was_sent() -> None:
    """Its answer may be late, and the store may have granted less than before."""
    desk = Desk()
    hold = held(sent=80.0)
    desk.book.add([hold])
    made = desk.due()
    desk.now = 108.0
    desk.book.renewed(made, Renewals([Renewal(Held.OK, 12.0)]))
    assert (hold.visibility_timeout, hold.renew_at, hold.expires) == (12.0, 104.0, 112.0)


def test_a_round_without_an_answer_is_made_again_soon() -> None:
    """And again, until the lease is over by this holder's own count: then its job is stopped."""
    desk = Desk()
    hold = held(sent=90.0)
    desk.book.add([hold])
    rounds = 0
    while (due := desk.book.next_due()) is not None:
        desk.now = due
        if (made := desk.book.due()) is not None:
            desk.book.failed(made)
            rounds += 1
    assert desk.now == 120.0
    assert 5 <= rounds <= 10
    assert list(desk.book.stopped()) == [hold]


def test_what_a_renewal_says_of_a_job_stops_it_once() -> None:
    """A lost lease is held no more; a cancelled job is, until its handler has ended."""
    desk = Desk()
    lost, cancelled = held(1, sent=80.0), held(2, sent=80.0)
    desk.book.add([lost, cancelled])
    assert desk.answer(Held.LOST, Held.CANCEL) == [lost, cancelled]
    assert (lost.stopping, cancelled.stopping) == (Why.LOST, Why.CANCEL)
    desk.now += 10.0
    assert desk.due().holds == [cancelled]
    assert desk.answer(Held.CANCEL) == []


def test_a_lease_that_is_being_settled_is_kept_but_not_missed() -> None:
    """It is renewed until the answer comes, and that it is gone may be because of the settlement."""
    desk = Desk()
    hold = held(sent=80.0)
    hold.settling = True
    desk.book.add([hold])
    assert desk.due().holds == [hold]
    assert desk.answer(Held.LOST) == []
    assert hold.stopping is None
    assert desk.book.next_due() is None


def test_only_an_earlier_lease_wakes_whoever_renews() -> None:
    """Thousands of short jobs cost no wake-up each."""
    desk = Desk()
    desk.book.add([held(1, sent=100.0), held(2, sent=100.0), held(3, sent=101.0)])
    assert desk.woken == 1
    desk.book.add([held(4, sent=100.0, seconds=3.0)])
    assert desk.woken == 2
    assert desk.book.shortest() == 3.0
    desk.book.drop([held(4), held(1), held(2), held(3)])
    assert desk.book.shortest() is None
