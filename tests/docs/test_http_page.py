"""The page of the HTTP API is made from its description, and made anew whenever that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from actorq.http.openapi import document
from tests.docs.makers import DOCS, load

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture
def maker() -> ModuleType:
    """Load docs/http.py."""
    return load("http")


def test_the_page_of_the_api_is_up_to_date(maker: ModuleType) -> None:
    """docs/reference/http.md is what docs/http.py makes from the description now (§9)."""
    page = (DOCS / "reference" / "http.md").read_text(encoding="utf-8")
    assert page == maker.page(), "run: python docs/http.py"


def test_the_page_has_every_route(maker: ModuleType) -> None:
    """Every route of the description has its place on the page (§9)."""
    page: str = maker.page()
    paths = cast("dict[str, dict[str, object]]", document()["paths"])
    for path, entry in paths.items():
        for method in entry:
            if method != "parameters":
                assert f"\n### {method.upper()} {path}\n" in page
