"""The catalogue of planted bugs: what each does, what it breaks, and in which world that shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from actorq.backends.memory import enqueues, leases
from actorq.cast import Cast
from actorq.core import dependence, lifecycle, retry, verdicts
from actorq.core.ids import IdMint
from actorq.testing.simulation.director import Parts
from actorq.testing.simulation.store.journal import Journal
from tests.testing.simulation.planted import (
    acting,
    counting,
    fencing,
    keys,
    kinship,
    ordering,
    steps,
    ticking,
)
from tests.testing.simulation.planted.bug import Bug, Patch

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.testing.simulation.store import Engine


def _store(name: str, breaks: str, profile: str, engine: type[Engine]) -> Bug:
    """Let the store carry out its verbs by ``engine``."""
    return Bug(name, _about(engine), breaks, profile, Parts(engine=engine), ())


def _actor(name: str, breaks: str, profile: str, cast: Cast) -> Bug:
    """Let one part of the cast be played by another class."""
    (player,) = (mine for mine, usual in zip(cast, Cast(), strict=True) if mine is not usual)
    return Bug(name, _about(player), breaks, profile, Parts(cast=cast), ())


def _wrong(
    name: str,
    breaks: str,
    profile: str,
    place: tuple[object, str],
    make: Callable[[Any], Any],
    *more: tuple[object, str, Callable[[Any], Any]],
) -> Bug:
    """Let one decision, or several, be made wrongly."""
    patches = (Patch(*place, make), *(Patch(*each) for each in more))
    return Bug(name, _about(make), breaks, profile, Parts(), patches)


def _about(thing: object) -> str:
    """Return what a bug does: its own words."""
    return " ".join((thing.__doc__ or "").split())


STANDING: Final = (leases, "standing")
EXPIRE: Final = (lifecycle, "expire")
PARENT_ENDED: Final = (dependence, "parent_ended")
RELEASE: Final = (lifecycle, "release")

BUGS: Final[tuple[Bug, ...]] = (
    # whose word counts
    _wrong("ack-of-anybody", "I6", "overtime", STANDING, fencing.ack_of_anybody),
    _wrong("fail-of-anybody", "I6", "overtime", STANDING, fencing.fail_of_anybody),
    _wrong("release-of-anybody", "I6", "storms", STANDING, fencing.release_of_anybody),
    _wrong("renewal-of-anybody", "I6", "storms", STANDING, fencing.renewal_of_anybody),
    _wrong("repeat-is-a-loss", "I6", "lost-replies", STANDING, fencing.repeat_is_a_loss),
    _wrong("token-by-count", "I6", "rivals", (lifecycle, "claim"), fencing.token_by_count),
    _store("reaper-without-token", "I5", "overtime", fencing.ReaperWithoutToken),
    _store("reaper-of-claims", "I5", "overtime", fencing.ReaperOfClaims),
    _store("reaper-by-its-own-clock", "I5", "clocks", fencing.ReaperByItsOwnClock),
    _wrong(
        "renewal-unwritten",
        "I5",
        "overtime",
        (lifecycle, "extend"),
        fencing.forgets_a_longer_lease,
    ),
    # what must be one step
    _store("promotion-in-two-steps", "I17", "lost-replies", steps.PromotionInTwoSteps),
    _store("retry-in-two-steps", "I1", "calm", steps.RetryInTwoSteps),
    _store("burial-in-two-steps", "I1", "calm", steps.BurialInTwoSteps),
    _store("claim-in-two-steps", "I17", "lost-replies", steps.PopThenRecord),
    _store("key-in-a-second-step", "I11", "lost-replies", steps.KeyInASecondStep),
    _store("job-before-its-tick", "I19", "crashes", ticking.JobBeforeItsTick),
    _store("tick-before-its-job", "I19", "lost-replies", ticking.TickBeforeItsJob),
    _wrong("answer-before-commit", "I1", "store", (Journal, "sync"), steps.answer_before_commit),
    # what is counted
    _wrong(
        "attempt-at-the-end",
        "I7",
        "calm",
        (lifecycle, "claim"),
        counting.claim_uncounted,
        (lifecycle, "ack", counting.end_counted),
        (lifecycle, "fail", counting.end_counted),
    ),
    _wrong("attempt-handed-back", "I7", "calm", RELEASE, counting.attempt_handed_back),
    _wrong("release-spends-a-retry", "I7", "calm", RELEASE, counting.release_spends_a_retry),
    _wrong("expiry-is-a-failure", "I8", "overtime", EXPIRE, counting.expiry_is_a_failure),
    _wrong("expiry-uncounted", "I7", "overtime", EXPIRE, counting.expiry_uncounted),
    _wrong("history-lost", "I14", "overtime", EXPIRE, counting.history_lost),
    _wrong("priority-lost", "I12", "overtime", EXPIRE, counting.priority_lost),
    _wrong(
        "once-again-after-expiry",
        "I4",
        "overtime",
        (retry, "on_expiry"),
        counting.expired_once_again,
    ),
    _wrong(
        "once-again-after-failure", "I4", "calm", (retry, "on_failure"), counting.failed_once_again
    ),
    _wrong(
        "redrive-of-the-started",
        "I4",
        "calm",
        (lifecycle, "may_redrive"),
        counting.started_may_be_redriven,
    ),
    _wrong("retry-at-once", "I9", "calm", (retry, "on_failure"), counting.retry_at_once),
    _wrong("retries-for-ever", "I3", "calm", (retry, "on_failure"), counting.retries_for_ever),
    # keys
    _store("key-by-time", "I10", "rivals", keys.KeyByTime),
    _store("key-of-the-dead", "I10", "rivals", keys.KeyOfTheDead),
    _store("check-then-insert", "I10", "rivals", keys.CheckThenInsert),
    _store("redrive-takes-the-key", "I10", "rivals", keys.RedriveTakesTheKey),
    _wrong("window-forgotten", "I10", "rivals", (enqueues, "create"), keys.window_forgotten),
    _wrong(
        "running-is-replaced", "I3", "rivals", (verdicts, "duplicate"), keys.running_is_replaced
    ),
    # time, order, and what is asked for
    _store("early-promotion", "I9", "calm", ordering.EarlyPromotion),
    _store("line-by-arrival", "I12", "calm", ordering.LineByArrival),
    _wrong("offset-unmeasured", "I12", "calm", (IdMint, "correct"), ordering.offset_unmeasured),
    _store("pause-ignored", "I3", "calm", ordering.PauseIgnored),
    _store("cancel-unwritten", "I3", "calm", ordering.CancelUnwritten),
    _store("cancel-forgotten", "I3", "overtime", ordering.CancelForgotten),
    _store("stale-reads", "I2", "rivals", ordering.StaleReads),
    _store("pruned-too-early", "I1", "calm", ordering.PrunedTooEarly),
    _wrong(
        "redriven-among-the-dead",
        "I14",
        "rivals",
        (lifecycle, "redrive"),
        ordering.redrive_keeps_the_place,
    ),
    _store("accepted-twice", "I13", "rivals", ordering.AcceptedTwice),
    # those who wait for others
    _store("tells-afterwards", "I17", "families", kinship.TellsAfterwards),
    _store("only-success-is-told", "I17", "families", kinship.OnlySuccessIsTold),
    _wrong("first-end-is-enough", "I9", "families", PARENT_ENDED, kinship.first_end_is_enough),
    _wrong("any-end-will-do", "I3", "families", PARENT_ENDED, kinship.any_end_will_do),
    # actors
    _actor("deaf-manager", "I9", "calm", Cast(lease_manager=acting.DeafManager)),
    _actor("hints-without-beats", "I9", "deaf", Cast(lease_manager=acting.HintsWithoutBeats)),
    _actor("forgetful-manager", "I9", "calm", Cast(lease_manager=acting.ForgetfulManager)),
    _actor("jobs-into-the-void", "I8", "unheard", Cast(lease_manager=acting.JobsIntoTheVoid)),
    _actor("hands-back-twice", "I6", "calm", Cast(lease_manager=acting.HandsBackTwice)),
    _actor("bare-hand-backs", "I6", "unheard", Cast(returner=acting.BareHandBacks)),
    _actor("loses-claims", "I8", "unheard", Cast(storage_lane=acting.LosesClaims)),
    _actor("repeats-claims", "I8", "unheard", Cast(storage_lane=acting.RepeatsClaims)),
    _actor("shifted-answers", "I16", "calm", Cast(storage_lane=acting.ShiftedAnswers)),
    _actor("gives-up-reaping", "I17", "store", Cast(reaper=acting.GivesUpReaping)),
    _actor("trusts-its-hints", "I17", "crashes", Cast(scheduler=acting.TrustsItsHints)),
)
"""Every bug, by what it is about."""
