"""The documentation is true: its snippets run, its links lead somewhere."""

from __future__ import annotations

import ast
import importlib
import re
import secrets
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from tests.docs.snippets import PAGES, SERVER, Snippet, files_of, name_of, snippets
from tests.e2e.server_process import ACTORQ, PATIENCE_S, Server
from tests.servers.postgres import shared_dsn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest_plugins = "pytester"

RUNNABLE = [
    pytest.param(
        snippet,
        id=f"{snippet.page}:{snippet.line}",
        marks=[pytest.mark.store("postgres")] if snippet.needs_postgres else [],
    )
    for snippet in snippets()
    if not snippet.needs_a_server and not snippet.is_a_test
]
TESTS = [
    pytest.param(snippet, id=f"{snippet.page}:{snippet.line}")
    for snippet in snippets()
    if snippet.is_a_test
]
_OTHER = re.compile(r"^```py\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?://)([^)#\s]+)(?:#([^)\s]+))?\)")


@pytest.fixture
def database() -> Iterator[str]:
    """Make a database, for a snippet that has schemas and tables of plain names."""
    name = f"docs_{secrets.token_hex(6)}"
    with psycopg.connect(shared_dsn(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        place = urlsplit(shared_dsn())
        yield urlunsplit(place._replace(path=f"/{name}"))
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
        connection.execute(drop.format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a server on a memory store for all snippets that speak to one."""
    folder = tmp_path_factory.mktemp("server")
    with Server(folder, *ACTORQ, settings={"BACKEND": "memory"}, patience=100.0) as server:
        yield server.url()


@pytest.fixture(autouse=True)
def no_module_of_another_page() -> Iterator[None]:
    """Forget the modules that a page's snippets imported: others have the same names."""
    yield
    for name in {file.removesuffix(".py") for page in PAGES for file in files_of(name_of(page))}:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("snippet", RUNNABLE)
def test_snippets_run(
    snippet: Snippet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """Every Python snippet of the pages runs as it stands, to its end."""
    monkeypatch.chdir(tmp_path)
    server = str(request.getfixturevalue("server")) if snippet.speaks_to_a_server else SERVER
    for name, code in files_of(snippet.page).items():
        (tmp_path / name).write_text(code.replace(SERVER, server), encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    importlib.invalidate_caches()
    if snippet.needs_postgres:
        monkeypatch.setenv("POSTGRES_DSN", str(request.getfixturevalue("database")))
    # Blank lines in front, so that a traceback tells the line of the page.
    code = "\n" * (snippet.line - 1) + snippet.code.replace(SERVER, server)
    if snippet.needs_a_process:
        command = [sys.executable, "-W", "error", "-c", code]
        subprocess.run(command, check=True, timeout=PATIENCE_S)  # noqa: S603 - our own pages
    else:
        exec(compile(code, snippet.page, "exec"), {"__name__": "__main__"})  # noqa: S102 - our own pages


@pytest.mark.parametrize("snippet", TESTS)
def test_tests_of_the_pages_pass(snippet: Snippet, pytester: pytest.Pytester) -> None:
    """Every file of tests that a page shows passes on both loops, beside the page's other files."""
    for name, code in files_of(snippet.page).items():
        (pytester.path / name).write_text(code, encoding="utf-8")
    pytester.makeini("[pytest]\nactorq_loops = asyncio trio\nfilterwarnings = error\n")
    pytester.syspathinsert()
    result = pytester.runpytest("-p", "no:cacheprovider", str(snippet.file_name))
    number = 2 * len(re.findall(r"^async def test_", snippet.code, re.MULTILINE))
    assert result.parseoutcomes() == {"passed": number}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_code_for_other_libraries_is_code(page: Path) -> None:
    """What a page shows of another library, for comparison, is at least Python."""
    for code in _OTHER.findall(page.read_text(encoding="utf-8")):
        ast.parse(code)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to a file of the project, and to a heading in a page, has its target."""
    for target, heading in _LINK.findall(page.read_text(encoding="utf-8")):
        path = page.parent / target
        assert path.exists(), target
        if heading:
            heads = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in {head.lower().replace(" ", "-") for head in heads}, heading
