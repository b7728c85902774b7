"""The conformance suite as the author of a store meets it: its entry, its names, its failures."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

from actorq.backends.memory import MemoryStore
from actorq.testing import conformance
from actorq.testing.clock import ManualClock
from actorq.testing.conformance import processes, suite
from actorq.testing.conformance.model import EXAMPLES

if TYPE_CHECKING:
    import pytest

    from actorq.backends.backend import Store
    from actorq.core.policy import Policy

pytest_plugins = ["pytester"]

FOLDER = Path(conformance.__file__).parent


def example(store: str) -> str:
    """Return the test module that the suite's documentation shows, with a store to run it on."""
    text = conformance.__doc__ or ""
    lines = [line for line in text.splitlines() if line.startswith("    ") or not line]
    code = dedent("\n".join(lines)).strip()
    assert "MyStore" in code
    return code.replace("MyStore", store)


IMPORTS = "from actorq.backends.memory import MemoryStore\n"

RULE = re.compile(r"\((contract )?(§|I\d|faults |``|architecture|rule )")
"""How a test's docstring names its rule: a section, an invariant, a fault, or a verb's own promise."""


def test_the_documented_lines_run_the_suite(pytester: pytest.Pytester) -> None:
    """What the documentation shows is a whole test module, and passes on a sound store."""
    pytester.makepyfile(IMPORTS + example("MemoryStore"))
    result = pytester.runpytest_subprocess("-W", "error", "-k", "TestDefects or TestStore")
    result.assert_outcomes(passed=17)


def test_a_failure_shows_its_values(pytester: pytest.Pytester) -> None:
    """The suite's own modules assert like tests: a failure says what was compared."""
    forgetful = """
        from actorq.backends.memory.connection import MemoryBackend

        class Forgetful(MemoryBackend):
            def get_job(self, ids): return [None for _ in ids]

        class MyStore(MemoryStore):
            def connect(self): return Forgetful(self._data)
    """
    pytester.makepyfile(IMPORTS + dedent(forgetful) + example("MyStore"))
    result = pytester.runpytest_subprocess("-k", "test_a_dead_job_can_be_read")
    # The audit at the end of the test finds it as well.
    result.assert_outcomes(failed=1, errors=1)
    result.stdout.fnmatch_lines(["E *assert None is not None"])


def test_a_shared_store_needs_the_tests_of_processes(pytester: pytest.Pytester) -> None:
    """A harness that says that processes share its store cannot leave their tests out."""
    shared = example("MemoryStore").replace(
        "shared_by_processes = False", "shared_by_processes = True"
    )
    pytester.makepyfile(IMPORTS + shared)
    result = pytester.runpytest_subprocess("-k", "test_a_shared_store_is_raced_by_processes")
    result.assert_outcomes(failed=1)


def test_no_class_of_tests_is_forgotten() -> None:
    """Every class of tests in the package is exported by the suite or by ``processes``, once."""
    written = [
        node.name
        for path in FOLDER.glob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test")
    ]
    exported = [name for name in suite.__all__ + processes.__all__ if name.startswith("Test")]
    assert sorted(written) == sorted(exported)


def test_every_test_names_its_rule() -> None:
    """Each test's docstring says in one line what must hold and where that is written."""
    nameless = [
        f"{path.name}: {test.name}"
        for path in FOLDER.glob("*.py")
        for group in ast.parse(path.read_text()).body
        if isinstance(group, ast.ClassDef)
        for test in group.body
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test_")
        if RULE.search((ast.get_docstring(test) or "").splitlines()[-1]) is None
    ]
    assert nameless == []


def test_the_model_test_can_be_made_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many days are played as the environment variable says."""
    stores: list[MemoryStore] = []
    clock = ManualClock()

    class Harness:
        shared_by_processes = False
        now = clock
        advance = clock.advance

        def make(self, policy: Policy) -> Store:
            stores.append(MemoryStore(policy, clock))
            return stores[-1]

        def reopen(self, store: Store) -> Store:
            return store

    for days in (1, 30):
        stores.clear()
        monkeypatch.setenv(EXAMPLES, str(days))
        suite.TestModel().test_the_store_agrees_with_the_ledger(Harness())
        # Hypothesis draws some days twice, and does not count those.
        assert days <= len(stores) <= 2 * days + 5
