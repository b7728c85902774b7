"""The table of planted bugs: the first seed that finds each, kept in a file, and a section of a page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from tests.testing.simulation.planted.bugs import BUGS

if TYPE_CHECKING:
    from collections.abc import Mapping

SEEDS: Final = Path(__file__).parent / "seeds.json"
"""By name of the bug."""

PAGE: Final = Path(__file__).parents[4] / "docs" / "reliability.md"

_HEAD: Final = "| bug | what it does | breaks | profile | seed |\n|---|---|---|---|---|\n"
_TABLE: Final = re.compile(re.escape(_HEAD) + r"(?:\|.*\n)*")


def known_seeds() -> dict[str, int]:
    """Return the first seed that finds each bug, as it was when the table was last written."""
    return msgspec.json.decode(SEEDS.read_bytes(), type=dict[str, int])


def table(seeds: Mapping[str, int]) -> str:
    """Return the table, in Markdown."""
    rows = [
        f"| `{bug.name}` | {bug.about} | {bug.breaks} | {bug.profile} | {seeds[bug.name]} |\n"
        for bug in BUGS
    ]
    return _HEAD + "".join(rows)


def table_on_the_page() -> str | None:
    """Return the table as the page shows it; None if it shows none."""
    found = _TABLE.search(PAGE.read_text(encoding="utf-8"))
    return None if found is None else found.group()


def write(seeds: Mapping[str, int]) -> None:
    """Write down the seeds, here and on the page."""
    SEEDS.write_bytes(msgspec.json.format(msgspec.json.encode(seeds), indent=2) + b"\n")
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_TABLE.sub(lambda _: table(seeds), page), encoding="utf-8")
