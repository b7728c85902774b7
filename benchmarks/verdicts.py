"""Verdicts: whether a figure reaches its goal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.report import Verdict

if TYPE_CHECKING:
    from benchmarks.contest import Result


def share(result: Result, floor: str) -> float:
    """Return the ratio of a result to one of its floors."""
    return result.ratio(result.floor(floor)) or 0.0


def at_least(goal: str, share: float, least: float) -> Verdict:
    """Judge a ratio that must not be lower."""
    return Verdict(
        goal=goal,
        wanted=f">= {_share_text(least)}",
        measured=_share_text(share),
        is_reached=share >= least,
    )


def below(goal: str, value: float, most: float, unit: str) -> Verdict:
    """Judge a figure that must stay under ``most``."""
    return Verdict(
        goal=goal,
        wanted=f"< {most:g} {unit}",
        measured=f"{value:.3g} {unit}",
        is_reached=value < most,
    )


def _share_text(share: float) -> str:
    return f"{share:.1f} x" if share >= 1 else f"{100 * share:.0f} %"
