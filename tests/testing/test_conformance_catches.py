"""The conformance suite has teeth: whatever bug is planted in a store, a test of it fails by name."""

from __future__ import annotations

import inspect
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from actorq.backends.memory.connection import MemoryBackend
from actorq.core.policy import Policy
from actorq.errors import ActorqError
from actorq.testing.clock import ManualClock
from actorq.testing.conformance import suite
from actorq.testing.conformance.audit import audit
from actorq.testing.conformance.bench import Bench
from actorq.testing.conformance.model import STEPS, Days
from tests.testing import planted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from actorq.backends.backend import Store


class PlantedHarness:
    """Memory stores with one bug."""

    shared_by_processes = False

    def __init__(self, kind: type[MemoryBackend]) -> None:
        self.kind = kind
        self.now = ManualClock()

    def make(self, policy: Policy) -> Store:
        return planted.PlantedStore(self.kind, policy, self.now)

    def reopen(self, store: Store) -> Store:
        return store

    def advance(self, seconds: float) -> None:
        self.now.advance(seconds)


class Catch(NamedTuple):
    """A bug, the test that must find it, and the values of that test's parameters."""

    bug: type[MemoryBackend]
    test: Callable[..., None]
    values: Mapping[str, object] = MappingProxyType({})


_defects = suite.TestDefects
CATCHES = [
    Catch(planted.PromotionNever, _defects.test_delayed_jobs_do_run),
    Catch(planted.PopThenRecord, _defects.test_claim_and_lease_are_one_step),
    Catch(planted.PriorityLost, _defects.test_an_expired_job_keeps_its_priority),
    Catch(planted.TokenNotCompared, _defects.test_ack_and_fail_check_the_holder),
    Catch(planted.NoBackoff, _defects.test_a_failed_job_waits_for_its_backoff),
    Catch(planted.AtMostOnceAgain, _defects.test_an_expired_at_most_once_job_never_runs_again),
    Catch(
        planted.CheckThenInsert,
        _defects.test_two_racing_enqueues_of_one_dedupe_key_make_one_job,
    ),
    Catch(planted.EditOverwrites, _defects.test_an_edit_of_an_old_version_undoes_nothing),
    Catch(planted.DeadNotFound, _defects.test_a_dead_job_can_be_read),
    Catch(
        planted.WindowForgotten,
        _defects.test_a_dedupe_window_that_outlives_its_job_creates_no_duplicate,
    ),
    Catch(planted.EmptyIsAnError, _defects.test_an_empty_queue_is_no_error),
    Catch(planted.AttemptAtTheEnd, suite.TestClaims.test_attempts_rise_by_one),
    Catch(
        planted.KeyFreedTooLate,
        suite.TestFreeing.test_every_ending_frees_the_key,
        {"ending": "ack"},
    ),
    Catch(planted.PromotionEarly, suite.TestDue.test_never_early, {"as_instant": False}),
    Catch(
        planted.StaleRenewal,
        suite.TestFencing.test_a_stale_token_while_another_holds,
        {"verb": "extend"},
    ),
    Catch(planted.RepeatUnknown, suite.TestFencing.test_a_repeat_within_one_batch, {"verb": "ack"}),
    Catch(
        planted.SettlerForgotten,
        suite.TestFencing.test_a_repeat_after_the_next_claim,
        {"verb": "fail"},
    ),
    Catch(planted.PayloadCut, suite.TestRecord.test_payloads_come_back, {"name": "nul"}),
    Catch(planted.LengthOfAll, suite.TestFigures.test_the_length_is_exact),
    Catch(planted.RedriveOfTheStarted, suite.TestAtMostOnce.test_no_second_start, {"how": "fail"}),
    Catch(planted.PurgeOfTheRunning, suite.TestPurge.test_running_jobs_are_never_purged),
]


def run(kind: type[MemoryBackend], catch: Catch) -> None:
    """Run the test on a store whose connections are of this class, as pytest would."""
    harness = PlantedHarness(kind)
    benches: list[Bench] = []

    def make_bench(policy: Policy) -> Bench:
        benches.append(Bench(harness, policy))
        return benches[-1]

    wanted = list(inspect.signature(catch.test).parameters)[1:]
    values = dict(catch.values)
    if "make_bench" in wanted:
        values["make_bench"] = make_bench
    if "bench" in wanted:
        values["bench"] = make_bench(Policy())
    group: type[object] = getattr(suite, catch.test.__qualname__.split(".")[0])
    catch.test(group(), **values)
    for bench in benches:
        audit(bench.backend)


def name_of(catch: Catch) -> str:
    return catch.bug.__name__


@pytest.mark.parametrize("catch", CATCHES, ids=name_of)
def test_a_planted_bug_fails_its_test(catch: Catch) -> None:
    """Each bug makes the test fail that names the rule which it breaks (§1-§8)."""
    with pytest.raises((AssertionError, ActorqError, ValueError)):
        run(catch.bug, catch)


@pytest.mark.parametrize("catch", CATCHES, ids=name_of)
def test_the_same_test_passes_without_the_bug(catch: Catch) -> None:
    """It is the bug that makes the test fail, and nothing else (§1-§8)."""
    run(MemoryBackend, catch)


@pytest.mark.parametrize("catch", CATCHES, ids=name_of)
def test_random_days_meet_it_too(catch: Catch) -> None:
    """The model test alone finds each bug, too (§1-§8)."""
    harness = PlantedHarness(catch.bug)

    # Days on which each of these bugs shows early; any others would do in the long run.
    @seed(11)
    class Day(Days):
        def __init__(self) -> None:
            super().__init__(harness)

    budget = settings(
        max_examples=3_000,
        stateful_step_count=STEPS,
        phases=[Phase.generate],
        database=None,
    )
    with pytest.raises((AssertionError, ActorqError, ValueError, KeyError)):
        run_state_machine_as_test(Day, settings=budget)
