"""The house keeps its plan: who may import whom, how long things may be, what every file carries."""

from __future__ import annotations

import ast
import fnmatch
import io
import re
import sys
import tokenize
import tomllib
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

import actorq

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parent.parent
FOLDERS: Final = ("actorq", "tests", "benchmarks", "docs", "examples")
CODE: Final = [
    *sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")),
    ROOT / "actorq_pytest.py",
]
PACKAGE: Final = [path for path in CODE if path.is_relative_to(ROOT / "actorq")]
MAX_FILE: Final = 300
MAX_FUNCTION: Final = 50

KIT: Final = frozenset({"actors.actor", "actors.mailbox", "actors.messages", "actors.runners"})
LANE: Final = frozenset({"actors.verbs", "actors.hints", "actors.caller"})
BASE: Final = frozenset({"core", "errors"})
PROTOCOL: Final = frozenset({"backends.backend"})

ALLOWED: Final[dict[str, frozenset[str]]] = {
    "errors": frozenset(),
    "clock": frozenset(),
    "stages": frozenset(),
    "core": frozenset({"errors"}),
    "logs": BASE,
    "settings": BASE,
    "backends": frozenset(),
    "backends.backend": BASE,
    "backends.*": BASE | PROTOCOL,
    "actors": frozenset(),
    "actors.verbs": BASE | KIT | PROTOCOL,
    "actors.hints": BASE | KIT,
    "actors.caller": BASE | KIT | PROTOCOL | {"actors.verbs"},
    "actors.extender": BASE | KIT | PROTOCOL | {"actors.caller"},
    "actors.storage": BASE | KIT | PROTOCOL | LANE,
    "actors.listener": BASE | KIT | PROTOCOL,
    "actors.*": BASE | KIT,
    "face": BASE | KIT,
    "cast": frozenset({"actors.*"}),
    "runtime": frozenset({"core", "errors", "face", "clock", "stages", "cast", "actors.*"})
    | PROTOCOL,
    "stores": frozenset({"core", "errors", "clock", "backends.*"}),
    "transactional": BASE,
    "opening": frozenset({"core", "errors", "face", "runtime", "settings", "stores"}),
    "http": BASE | {"face", "version"},
    "sdk": BASE | {"clock", "face", "opening", "settings", "stages", "version"},
    "cli": BASE
    | {"face", "http", "logs", "opening", "runtime", "sdk", "settings", "stores", "version"},
    "testing": BASE
    | {"face", "clock", "cast", "opening", "runtime", "backends.*", "actors.*", "http", "sdk"},
    "version": frozenset({"core", "errors", "face", "opening", "runtime", "sdk"}),
    "__main__": frozenset({"cli"}),
}
"""Which parts a part may import, besides itself; ``version`` is the package's own ``__init__``.

``backends.*`` and ``actors.*`` stand for each one that has no line of its own: they may not import
each other. Why this differs from the first plan: docs/decisions/floor-plan.md.
"""

OUTSIDE: Final[dict[str, frozenset[str]]] = {
    "core": frozenset({"cronsim", "msgspec"}),
    "settings": frozenset({"msgspec"}),
    "stages": frozenset({"anyio"}),
    "backends.memory": frozenset({"msgspec"}),
    "backends.sqlite": frozenset({"msgspec"}),
    "backends.postgres": frozenset({"msgspec", "psycopg"}),
    "backends.redis": frozenset({"msgspec", "redis"}),
    "actors": frozenset({"anyio", "msgspec"}),
    "face": frozenset({"anyio", "msgspec"}),
    "runtime": frozenset({"anyio", "msgspec"}),
    "opening": frozenset({"msgspec"}),
    "transactional": frozenset({"psycopg", "sqlalchemy"}),
    "http": frozenset({"anyio", "msgspec", "starlette"}),
    "http.server": frozenset({"anyio", "h11", "hypercorn", "starlette", "uvicorn", "httptools"}),
    "sdk": frozenset({"anyio", "httpx2", "msgspec"}),
    "cli": frozenset({"anyio", "msgspec", "starlette"}),
    "testing": frozenset({"anyio", "greenlet", "hypothesis", "msgspec", "pytest"}),
}
"""What else than the standard library a part may import; a part without a line: nothing."""

LOOPS: Final = frozenset({"testing.simulation.loop", "testing.virtual_time"})
"""What runs event loops of its own, beside server shells and the command line."""

IMPURE: Final = frozenset(
    {
        "anyio",
        "asyncio",
        "trio",
        "threading",
        "time",
        "random",
        "secrets",
        "logging",
        "os",
        "socket",
    }
)
"""What ``core`` may not even take from the standard library."""


def module_of(path: Path) -> str:
    """Return the dotted name of a module, without the package's own."""
    parts = path.relative_to(ROOT / "actorq").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def part_of(module: str) -> str:
    """Return the part that a module (named without ``actorq.``) belongs to."""
    names = module.split(".")
    if not module:
        return "version"
    return ".".join(names[:2]) if names[0] in {"actors", "backends"} else names[0]


def line_of(part: str) -> str:
    """Return the line of the table that speaks of ``part``."""
    return part if part in ALLOWED else family_of(part)


def family_of(part: str) -> str:
    """Return the name that stands for all parts of one kind."""
    return part.partition(".")[0] + ".*"


@cache
def tree_of(path: Path) -> ast.Module:
    """Return a file as the parser reads it."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports_of(path: Path) -> list[tuple[str, bool]]:
    """Return what a file imports, and whether it does so as soon as it is imported itself."""
    tree = tree_of(path)
    late = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
        for child in ast.walk(node)
    }
    found: list[tuple[str, bool]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node not in late) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(f"{node.module}.{alias.name}", node not in late) for alias in node.names]
    return found


MODULES: Final = {module_of(path) for path in PACKAGE}


def inside(name: str) -> str | None:
    """Return the module of the package that an import names, or None for one from outside."""
    if name.partition(".")[0] != "actorq":
        return None
    rest = name.removeprefix("actorq").removeprefix(".")
    while rest not in MODULES:
        rest = rest.rpartition(".")[0]
    return rest


@pytest.mark.parametrize("path", PACKAGE, ids=module_of)
def test_a_part_imports_only_what_it_may(path: Path) -> None:
    """The table of imports holds, for types too: core knows nobody, actors not each other."""
    part = part_of(module_of(path))
    allowed = ALLOWED[line_of(part)]
    wrong: set[str] = set()
    for name, _ in imports_of(path):
        target = inside(name)
        if target is None:
            continue
        other = part_of(target)
        # A package's name alone, as in "from actorq.actors import messages", says nothing yet.
        if other not in {part, "actors", "backends"} and not {other, family_of(other)} & allowed:
            wrong.add(f"{part} imports {name}")
    assert not wrong


@pytest.mark.parametrize("path", PACKAGE, ids=module_of)
def test_nothing_foreign_is_imported_where_it_does_not_belong(path: Path) -> None:
    """Drivers stay in their store, event loops in server shells and the command line."""
    module = module_of(path)
    part = part_of(module)
    if module.startswith("http.server"):
        part = "http.server"
    allowed = OUTSIDE.get(part, OUTSIDE.get(part.split(".")[0], frozenset()))
    loops = {"asyncio", "trio", "uvloop"}
    may_loop = part in {"http.server", "cli"} or module in LOOPS
    for name, _ in imports_of(path):
        top = name.split(".")[0]
        assert top not in loops or may_loop, name
        assert part != "core" or top not in IMPURE, name
        known = top == "actorq" or top in sys.stdlib_module_names or top in loops
        assert known or top in allowed, f"{part} imports {name}"


def test_no_module_imports_itself_in_a_circle() -> None:
    """Whatever is imported at import time has an order (types and late imports aside)."""
    graph = {
        module_of(path): {
            target
            for name, early in imports_of(path)
            if early and (target := inside(name)) not in {None, module_of(path)}
        }
        for path in PACKAGE
    }
    # The package's own names are for its users: a version is all that a part of it takes from there.
    del graph[""]
    assert list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_can_be_read_in_one_go(path: Path) -> None:
    """At most 300 lines a file and 50 a function; every test says which rule it checks."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_FILE
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < MAX_FUNCTION, node.name
            assert not node.name.startswith("test_") or ast.get_docstring(node), node.name


def comments(path: Path) -> Iterator[str]:
    """Yield a file's comments."""
    text = path.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


SILENCED: Final = re.compile(
    r"#\s*(noqa(:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*)?|(type|pyright):\s*ignore(\[[^\]]*\])?|fmt:\s*\w+)"
)


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_whatever_is_silenced_has_a_reason(path: Path) -> None:
    """A check is switched off for one line, for one code, and with a reason beside it."""
    for comment in comments(path):
        if re.search(r"noqa|type:\s*ignore|pyright:", comment):
            assert re.search(r"noqa: [A-Z]+\d|ignore\[\S", comment), comment
            assert re.search(r"[A-Za-z]{3,}", SILENCED.sub("", comment)), comment


def test_no_path_of_somebody_s_machine() -> None:
    """Nothing in the project names a folder that only one machine has."""
    folders = re.compile(r"(?<![\w.])/(home|root|Users)/|[A-Z]:\\\\")
    files = [*CODE, *ROOT.glob("*.md"), *ROOT.glob("*.toml")]
    files += [path for path in ROOT.glob("config/**/*") if path.is_file()]
    files += [*ROOT.glob("docs/**/*.md"), *ROOT.glob("actorq/**/*.sql"), ROOT / "Makefile"]
    mine = Path(__file__)
    named = [f for f in files if f != mine and folders.search(f.read_text(encoding="utf-8"))]
    assert not named


def test_public_names_exist_and_are_sorted() -> None:
    """What ``actorq.__all__`` promises is there, once, in order."""
    assert actorq.__all__ == sorted(set(actorq.__all__))
    assert all(getattr(actorq, name) is not None for name in actorq.__all__)


def test_data_files_are_packaged() -> None:
    """SQL, scripts and the marker of types go into the wheel: nothing leaves them out."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"] == {
        "only-include": ["actorq", "actorq_pytest.py"]
    }
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    data = [
        p for p in (ROOT / "actorq").rglob("*") if p.suffix in {".sql", ".toml", ".lua", ".typed"}
    ]
    assert any(path.suffix == ".sql" for path in data)
    assert any(path.name == "py.typed" for path in data)
    for path in data:
        assert not any(fnmatch.fnmatch(path.name, pattern) for pattern in ignored), path
