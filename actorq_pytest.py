"""The pytest plugin of actorq: a queue and an app for tests, in virtual time.

pytest loads it in every project that has actorq installed, so it imports nothing of actorq until a test wants
it. That is why it stands beside the package: to import a module of the package is to import all of it.
"""

from __future__ import annotations

import importlib
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from actorq import App, Policy
    from actorq.testing.app_kit import AppUnderTest
    from actorq.testing.queue_kit import QueueUnderTest
    from actorq.testing.virtual_time import VirtualTime

TIME = "actorq_time"
"""The fixture that all others need: who has it is a test in virtual time."""

BACKEND = "anyio_backend"
"""The fixture by which anyio's plugin knows on which event loop to run a test."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the settings of a project."""
    parser.addini(
        "actorq_app",
        "the app that the fixture 'app' is about, such as shop.tasks:app",
        default="",
    )
    parser.addini(
        "actorq_loops",
        "the event loops that tests with fixtures of actorq run on: asyncio, trio",
        type="args",
        default=["asyncio"],
    )


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests that use the fixtures on event loops in virtual time."""
    if TIME not in metafunc.fixturenames or _chooses_its_loop(metafunc):
        return
    if _is_taken(metafunc.config):
        raise pytest.UsageError(
            "pytest-asyncio takes every async test in its mode 'auto', also those with fixtures of "
            "actorq, which run on loops of their own: set asyncio_mode = strict, and mark its tests"
        )
    from actorq.testing.virtual_time import virtual_backend

    names = metafunc.config.getini("actorq_loops")
    try:
        backends = [virtual_backend(name) for name in names]
    except ValueError as error:
        raise pytest.UsageError(f"actorq_loops: {error}") from None
    # A mark wins over a fixture, whose own parameters it replaces. The scope is that of anyio's fixture, so
    # that a module's fixtures may be asynchronous too.
    mark = pytest.mark.parametrize(BACKEND, backends, ids=names, scope="module")
    metafunc.definition.add_marker(mark)


def _is_taken(config: pytest.Config) -> bool:
    if not config.pluginmanager.hasplugin("asyncio"):
        return False
    mode: object = config.getoption("asyncio_mode", None) or config.getini("asyncio_mode")
    return str(getattr(mode, "value", mode)) == "auto"


def _chooses_its_loop(metafunc: pytest.Metafunc) -> bool:
    names = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    return any(BACKEND in (one.split(",") if isinstance(one, str) else one) for one in names)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Let a test that waits for what will not come fail, as its time passes without end."""
    if TIME in pyfuncitem.fixturenames and iscoroutinefunction(pyfuncitem.obj):
        from actorq.testing.virtual_time import guarded

        pyfuncitem.obj = guarded(pyfuncitem.obj)
    return (yield)


@pytest.fixture
def actorq_policy() -> Policy | None:
    """Say which bounds hold for every queue; override it for others than the usual."""
    return None


@pytest.fixture
def actorq_app(pytestconfig: pytest.Config) -> App:
    """Name the app that is tested; override it, or set ``actorq_app`` in the project's settings."""
    place: str = pytestconfig.getini("actorq_app")
    module, _, name = place.partition(":")
    if not name:
        raise pytest.UsageError(
            "which app? Set actorq_app = 'package.module:app' in pytest's settings, "
            "or write a fixture 'actorq_app' that returns it"
        )
    found: App = getattr(importlib.import_module(module), name)
    return found


@pytest.fixture
async def actorq_time(anyio_backend: object) -> VirtualTime:
    """Return the virtual time of the test's event loop."""
    del anyio_backend
    from actorq.testing.virtual_time import current_time

    return current_time()


@pytest.fixture
async def queue(
    actorq_time: VirtualTime, actorq_policy: Policy | None
) -> AsyncGenerator[QueueUnderTest]:
    """Open a queue on a memory store, with ``advance``, ``drain``, ``assert_enqueued`` and ``faults``."""
    del actorq_time
    from actorq.testing.queue_kit import open_queue_under_test

    async with open_queue_under_test(actorq_policy) as opened:
        yield opened


@pytest.fixture
async def app(queue: QueueUnderTest, actorq_app: App) -> AsyncGenerator[AppUnderTest]:
    """Connect the tasks of ``actorq_app`` to ``queue``; ``drain`` runs a worker."""
    from actorq.testing.app_kit import connected

    async with connected(actorq_app, queue) as kit:
        yield kit
