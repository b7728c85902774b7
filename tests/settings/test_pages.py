"""The pages and files that are made from the table of settings."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from actorq.settings import SETTINGS, Settings, load, pages
from actorq.settings.values import format_duration

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0s"), (0.1, "0.1s"), (90.0, "90s"), (3_600.0, "1h"), (1_209_600.0, "14d")],
)
def test_durations_are_written_in_their_largest_unit(seconds: float, text: str) -> None:
    """A default is shown as a person would say it."""
    assert format_duration(seconds) == text


def test_the_reference_page_is_up_to_date() -> None:
    """docs/reference/settings.md is what docs/settings.py makes from the table now."""
    page = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    assert page == pages.markdown()
    assert all(f"| `{setting.environment}` |" in page for setting in SETTINGS)


def test_the_example_file_says_the_defaults() -> None:
    """config/actorq.toml is up to date, holds every setting, and changes none."""
    path = ROOT / "config" / "actorq.toml"
    text = path.read_text(encoding="utf-8")
    assert text == pages.example_toml()
    assert load({"config": str(path)}, {}) == Settings()
    unset = {setting.name for setting in SETTINGS if setting.default == ""}
    assert set(tomllib.loads(text)) == {setting.name for setting in SETTINGS} - unset
    assert all(f'# {name} = "' in text for name in unset)


@pytest.mark.parametrize("backend", ["sqlite", "memory"])
def test_each_store_has_a_file(backend: str) -> None:
    """config/sqlite.toml and config/memory.toml choose the store of their name."""
    assert load({"config": str(ROOT / "config" / f"{backend}.toml")}, {}).backend == backend
