"""The documentation is true: its snippets run, its links lead somewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.docs.snippets import PAGES, ROOT, Snippet, snippets

if TYPE_CHECKING:
    from pathlib import Path

RUNNABLE = [snippet for snippet in snippets() if not snippet.needs_a_server]
_LINK = re.compile(r"\]\((?!https?://)([^)#\s]+)(?:#([^)\s]+))?\)")


@pytest.mark.parametrize("snippet", RUNNABLE, ids=lambda s: f"{s.page}:{s.line}")
def test_snippets_run(snippet: Snippet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every Python snippet of the pages runs as it stands, to its end."""
    monkeypatch.chdir(tmp_path)
    # Blank lines in front, so that a traceback tells the line of the page.
    code = "\n" * (snippet.line - 1) + snippet.code
    exec(compile(code, snippet.page, "exec"), {"__name__": "__main__"})  # noqa: S102 - our own pages


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to a file of the project, and to a heading in a page, has its target."""
    for target, heading in _LINK.findall(page.read_text(encoding="utf-8")):
        path = page.parent / target
        assert path.exists(), target
        if heading:
            heads = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in {head.lower().replace(" ", "-") for head in heads}, heading
