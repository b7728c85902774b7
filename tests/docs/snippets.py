"""The snippets of the documentation, found in its pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
NEEDS_A_SERVER = "<!-- Run by tests/docs/test_quickstart.py. -->\n"
"""Stands before a snippet that is a program with arguments of its own."""
SERVER = "http://127.0.0.1:8080"
"""The server that snippets speak to: another one of the same kind takes its place."""

_SNIPPET = re.compile(
    rf"({re.escape(NEEDS_A_SERVER)})?^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE
)


class Snippet(NamedTuple):
    """A piece of Python as a page shows it."""

    page: str
    line: int
    code: str
    needs_a_server: bool

    @property
    def speaks_to_a_server(self) -> bool:
        """Tell whether it uses a server that is running already."""
        return SERVER in self.code

    @property
    def needs_postgres(self) -> bool:
        """Tell whether it connects to a database that the environment names."""
        return "POSTGRES_DSN" in self.code


def snippets() -> list[Snippet]:
    """Return every snippet of every page."""
    found: list[Snippet] = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in _SNIPPET.finditer(text):
            line = text.count("\n", 0, match.start(2)) + 1
            name = str(page.relative_to(ROOT))
            found.append(Snippet(name, line, match.group(2), match.group(1) is not None))
    return found
