"""Whole lives: random legal acts one after another, and what must hold over all of them (contract §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace

from actorq.core import lifecycle
from actorq.core.job import Delivery, Job, create
from actorq.core.policy import Policy
from actorq.core.transitions import ENDED, Status
from tests.core.acts import ACTS, LEASE_ENDS
from tests.core.records import NOW, assert_sound, new

if TYPE_CHECKING:
    from tests.core.acts import Act

POLICY = Policy()


class Life(RuleBasedStateMachine):
    """One job, to which everything happens that may; its history is kept beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.job = create(new(), NOW)
        self.claims = 0
        self.starts = 0

    @initialize(delivery=st.sampled_from(Delivery), max_retries=st.integers(0, 3))
    def be_born(self, delivery: Delivery, max_retries: int) -> None:
        self.job = replace(self.job, delivery=delivery, max_retries=max_retries)

    @rule(data=st.data())
    def live(self, data: st.DataObject) -> None:
        """Do one of the acts that the table allows now."""
        legal = [act for act in ACTS if act.leads_to(self.job.status) and self._is_asked(act)]
        if not legal:
            return
        act = data.draw(st.sampled_from(legal))
        before, self.job = self.job, act.perform(self.job)
        self._check_step(act, before, self.job)

    def _is_asked(self, act: Act) -> bool:
        # What a store asks before it redrives (§2, I4).
        return act.name != "redrive" or lifecycle.may_redrive(self.job)

    def _check_step(self, act: Act, before: Job, after: Job) -> None:
        self.claims += act.name == "claim"
        self.starts += act.name in LEASE_ENDS - {"release", "postpone"}
        assert after.attempt >= before.attempt
        if act.name == "cancel" and before.cancel_requested:
            assert after == before
        else:
            assert after.version == before.version + 1
        if before.status in ENDED:
            assert act.name == "redrive"

    @invariant()
    def sound(self) -> None:
        """Every record on the way keeps the invariants of one record."""
        assert_sound(self.job)
        assert self.job.attempt == self.claims

    @invariant()
    def within_its_budgets(self) -> None:
        """No budget is ever exceeded by a job that is alive (§2)."""
        if self.job.status not in ENDED:
            assert self.job.retry_count <= self.job.max_retries
            assert self.job.expiries <= POLICY.max_expiries

    @invariant()
    def started_at_most_once(self) -> None:
        """Whatever an at-most-once job went through, it never starts again (I4)."""
        if self.job.delivery is Delivery.AT_MOST_ONCE:
            assert self.starts <= 1
            if self.starts:
                assert self.job.status in ENDED
                assert self.job.status is not Status.DEAD or not lifecycle.may_redrive(self.job)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=60)
