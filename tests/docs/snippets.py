"""The snippets of the documentation, found in its pages."""

from __future__ import annotations

import re
from functools import cache
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
_FILE = re.compile(r"# (\w+\.py)\n")


class Snippet(NamedTuple):
    """A piece of Python as a page shows it."""

    page: str
    line: int
    code: str
    needs_a_server: bool

    @property
    def file_name(self) -> str | None:
        """Return the name of the file that it is, if its first line says so."""
        match = _FILE.match(self.code)
        return match[1] if match else None

    @property
    def is_a_test(self) -> bool:
        """Tell whether it is a file of tests."""
        return (self.file_name or "").startswith("test_")

    @property
    def speaks_to_a_server(self) -> bool:
        """Tell whether it uses a server that is running already."""
        return any(SERVER in code for code in (self.code, *files_of(self.page).values()))

    @property
    def needs_a_process(self) -> bool:
        """Tell whether it changes its whole process, as Django does."""
        return "django.setup()" in self.code

    @property
    def needs_postgres(self) -> bool:
        """Tell whether it connects to a database that the environment names."""
        return "POSTGRES_DSN" in self.code


def name_of(page: Path) -> str:
    """Return the path of a page within the project."""
    return str(page.relative_to(ROOT))


@cache
def files_of(page: str) -> dict[str, str]:
    """Return the files that a page shows, by their names: its snippets may import each other."""
    own = [snippet for snippet in snippets() if snippet.page == page]
    return {snippet.file_name: snippet.code for snippet in own if snippet.file_name}


@cache
def snippets() -> list[Snippet]:
    """Return every snippet of every page."""
    found: list[Snippet] = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in _SNIPPET.finditer(text):
            line = text.count("\n", 0, match.start(2)) + 1
            found.append(Snippet(name_of(page), line, match.group(2), match.group(1) is not None))
    return found
