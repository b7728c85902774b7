"""What all tests share: the stores of a run, both event loops, and Hypothesis without a clock of its own."""

from __future__ import annotations

import gc
import os

import pytest
from hypothesis import HealthCheck, settings

from tests.selection import Selection, stores_of

# A machine under load must not turn a slow example into a failure: nothing here is timed. CI draws
# the same examples on every run, so that a red build is about the change and not about luck.
settings.register_profile(
    "actorq",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("actorq")

SELECTION = pytest.StashKey[Selection]()


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> object:
    """Run every asynchronous test on both event loops."""
    return request.param


# ── the stores of a run ─────────────────────────────────────────────────────────────────────────


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take ``--backends``, which wins over the environment's ``BACKENDS``."""
    parser.addoption(
        "--backends",
        default=os.environ.get("BACKENDS", ""),
        metavar="STORES",
        help="test only these stores, such as redis,sqlite [BACKENDS, default all]",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Find out what the run is about."""
    config.addinivalue_line("markers", "store(name): this test is about a store; see BACKENDS")
    config.addinivalue_line("markers", "needs(name): this test starts a program")
    try:
        selection = Selection(str(config.getoption("--backends")), os.environ)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[SELECTION] = selection


def pytest_report_header(config: pytest.Config) -> str:
    """Say which stores are tested."""
    return str(config.stash[SELECTION])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of other stores."""
    selection = config.stash[SELECTION]
    taken = [
        item
        for item in items
        if selection.takes(stores_of(item.path, _marked(item, "store")), _marked(item, "needs"))
    ]
    left = set(items) - set(taken)
    if left:
        config.hook.pytest_deselected(items=[item for item in items if item in left])
        items[:] = taken


@pytest.fixture(scope="module", autouse=True)
def _spared_objects() -> None:
    """Spare the garbage collector what is there before a module: ten thousand tests, and what those left.

    A full collection takes half a second with all of it and a millisecond without, and a benchmark's
    own tests collect three hundred times.
    """
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say at the end, too, what was left out though nobody asked for it."""
    if config.stash[SELECTION].missing:
        terminalreporter.write_line(str(config.stash[SELECTION]), yellow=True)


def _marked(item: pytest.Item, name: str) -> frozenset[str]:
    return frozenset(str(word) for mark in item.iter_markers(name) for word in mark.args)
