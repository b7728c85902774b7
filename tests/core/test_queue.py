"""A queue's settings: what is left to the policy, and how an edit changes them (contract §8)."""

from __future__ import annotations

import pytest

from actorq.core.policy import Policy, Retention
from actorq.core.queue import QueueEdit, QueueSettings

SET = QueueSettings(
    paused=True, paused_reason="why", max_running=1, max_depth=2, visibility_timeout=3.0
)


@pytest.mark.parametrize(
    ("asked", "own", "seconds"),
    [(None, None, 30.0), (None, 7.0, 7.0), (5.0, None, 5.0), (5.0, 7.0, 5.0)],
)
def test_a_claim_s_timeout_is_as_asked_else_the_queue_s_else_the_policy_s(
    asked: float | None, own: float | None, seconds: float
) -> None:
    """The nearest word counts (§4, §8)."""
    settings = QueueSettings(visibility_timeout=own)
    assert settings.effective_visibility(asked, Policy(visibility_timeout=30.0)) == seconds


def test_what_an_edit_does_not_name_stays() -> None:
    """An empty edit changes nothing (§8)."""
    assert QueueEdit(queue_name="q").apply(SET) == SET


def test_none_goes_back_to_the_policy() -> None:
    """Null takes an operator's own value away (§8)."""
    edit = QueueEdit(queue_name="q", max_running=None, max_depth=None, visibility_timeout=None)
    assert edit.apply(SET) == QueueSettings(paused=True, paused_reason="why")


def test_a_resume_forgets_the_reason_of_the_pause() -> None:
    """The reason belongs to the pause; a new one may be given in the same edit (§8)."""
    assert QueueEdit(queue_name="q", paused=False).apply(SET).paused_reason is None
    again = QueueEdit(queue_name="q", paused=True, paused_reason="new")
    assert again.apply(SET).paused_reason == "new"


def test_retention_is_set_as_a_whole() -> None:
    """A queue's retention replaces the policy's (§8)."""
    kept = Retention(completed=1.0)
    assert QueueEdit(queue_name="q", retention=kept).apply(SET).retention == kept


def test_the_default_retention_is_the_contract_s() -> None:
    """Completed an hour, dead two weeks, cancelled a day (§8)."""
    kept = Policy().retention
    assert (kept.completed, kept.dead, kept.cancelled) == (3_600.0, 14 * 86_400.0, 86_400.0)
