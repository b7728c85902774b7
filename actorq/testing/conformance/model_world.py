"""The world of the model test: a store, its ledger, and what both were told.

The store's clock may run by itself. So the ledger works out each answer at the instant to which the
store's own record testifies (it must lie within the call), or else at the call's start or end.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, TypeVar

from hypothesis.stateful import RuleBasedStateMachine, invariant

from actorq.core.ids import IdMint
from actorq.core.job import DependentJob, Job, NewJob
from actorq.core.results import Enqueued, Settled
from actorq.testing.clock import START_US
from actorq.testing.conformance import kin
from actorq.testing.conformance.audit import audit
from actorq.testing.conformance.bench import Bench
from actorq.testing.conformance.ledger import Ledger
from actorq.testing.conformance.likeness import like
from actorq.testing.conformance.moves import POLICY, Pick

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

    from actorq.core.transitions import Status
    from actorq.testing.conformance.harness import Harness

A = TypeVar("A")
X = TypeVar("X")


def witness(answer: object) -> int | None:
    """Return the instant of the write of which this answer gives the record, if it gives one."""
    if isinstance(answer, Enqueued | Settled):
        answer = answer.job
    return answer.updated_at if isinstance(answer, Job) else None


class World(RuleBasedStateMachine):
    """A store, its ledger, and what both were told."""

    def __init__(self, harness: Harness) -> None:
        """Make a fresh store."""
        super().__init__()
        self.bench = Bench(harness, POLICY)
        self.ledger = Ledger(POLICY)
        self.ids: list[str] = []
        self.tokens: dict[str, list[str]] = {}
        self.requests: dict[str, NewJob] = {}
        self.start = self.low = self.bench.now()
        # The same draws must give the same ids, for the jitter comes from them.
        self.random = Random(0)  # noqa: S311 - a replayable test, not a secret
        self.mint = IdMint(
            lambda: START_US + self.bench.now() - self.start, self.random.getrandbits
        )

    def teardown(self) -> None:
        """Balance the books, and let the store go."""
        try:
            audit(self.bench.backend)
        finally:
            self.bench.close()

    # ── agreeing ────────────────────────────────────────────────────────────────────────────────

    def begin(self) -> None:
        """Note the instant before a call."""
        if self.ledger.told:
            # The call before it was one of two: what that has told was told after its own beginning.
            self.reconcile()
        self.low = self.bench.now()

    def agree(self, actual: A, verb: Callable[[Ledger, X, int], object], item: X) -> A:
        """Let the ledger do ``verb`` on ``item`` at an instant within the call: both answer alike."""
        high = self.bench.now()
        seen = witness(actual)
        instants = [seen] if seen is not None and self.low <= seen <= high else []
        expected: list[object] = []
        for instant in dict.fromkeys([*instants, self.low, high]):
            trial = self.ledger.copy()
            expected.append(verb(trial, item, instant))
            if like(expected[-1], actual):
                self.ledger = trial
                return actual
        raise AssertionError(f"the store answers\n  {actual!r}\nnot one of\n  {expected!r}")

    def agree_all(
        self,
        call: Callable[[list[X]], Sequence[object]],
        verb: Callable[[Ledger, X, int], object],
        items: Iterable[X],
    ) -> None:
        """Make a call for all ``items``, and let the ledger do them one by one.

        Where one of them has kin, each is called for by itself: a store may tell others in a step that
        follows a batch.
        """
        batch = list(items)
        parts = [[item] for item in batch] if any(map(self.has_kin, batch)) else [batch]
        for part in parts:
            self.begin()
            answers = call(part)
            assert len(answers) == len(part)
            for item, answer in zip(part, answers, strict=True):
                self.agree(answer, verb, item)
            self.reconcile()

    def has_kin(self, item: object) -> bool:
        """Tell whether what a call is about depends on others, or they on it."""
        job = self.ledger.jobs.get(item if isinstance(item, str) else getattr(item, "id", ""))
        return isinstance(item, DependentJob) or (job is not None and job.workflow is not None)

    def reconcile(self) -> None:
        """Take over from the store when those were told that changed as others did."""
        known, self.ledger.told = self.ledger.told, {}
        told = [job for job in map(self.ledger.jobs.get, known) if job is not None]
        found = self.bench.backend.get_job([job.id for job in told])
        for job, seen in zip(told, found, strict=True):
            if seen is not None and self.low <= seen.updated_at <= self.bench.now():
                self.ledger.jobs[job.id] = kin.retimed(
                    job, seen.updated_at, was_let_go=known[job.id]
                )

    def job_id(self, pick: Pick, apt: Container[Status]) -> str:
        """Return the id that was picked: of a job in an apt status, of any, or one that is gone."""
        known = self.ids
        if pick.apt:
            known = [job.id for job in self.ledger.jobs.values() if job.status in apt] or known
        if not known:
            return self.mint.mint()
        return known[-1 - pick.place % len(known)]

    def any_in(self, statuses: Container[Status]) -> bool:
        """Tell whether there is any job in one of these statuses."""
        return any(job.status in statuses for job in self.ledger.jobs.values())

    def missing(self, jobs: Iterable[Job]) -> list[Job]:
        """Return those jobs of the ledger which the store no longer has."""
        known = list(jobs)
        found = self.bench.backend.get_job([job.id for job in known])
        return [job for job, there in zip(known, found, strict=True) if there is None]

    @invariant()
    def the_records_are_alike(self) -> None:
        """After every step the store has exactly the ledger's records."""
        self.reconcile()
        expected = list(self.ledger.jobs.values())
        actual = self.bench.backend.get_job([job.id for job in expected])
        for one, other in zip(expected, actual, strict=True):
            assert like(one, other), f"the store has\n  {other!r}\nand not\n  {one!r}"
