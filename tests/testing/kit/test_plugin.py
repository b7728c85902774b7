"""The pytest plugin in projects of its users: it is there when wanted, and not noticed otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

pytest_plugins = "pytester"

SHOP: Final = """
from actorq import App

app = App()

@app.task
async def send(to: str) -> str:
    return to.upper()
"""

TEST: Final = """
import anyio
from shop import send

async def test_send(app):
    handle = await send.enqueue("ada")
    app.assert_enqueued(send, "ada")
    await app.drain()
    assert await handle.result() == "ADA"

async def test_queue(queue):
    await queue.enqueue("mail", "x", delay=600.0)
    await queue.advance("10m")
    assert await queue.get_queue_length("mail") == 1
"""


def outcomes(pytester: pytest.Pytester, *args: str) -> Mapping[str, int]:
    """Run the tests of a project; return how many had which outcome."""
    return pytester.runpytest("-p", "no:cacheprovider", *args).parseoutcomes()


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """Make a project that tests an app."""
    pytester.makepyfile(shop=SHOP, test_shop=TEST)
    pytester.makeini("[pytest]\nactorq_app = shop:app\n")
    pytester.syspathinsert()
    return pytester


def test_a_project_needs_no_conftest(project: pytest.Pytester) -> None:
    """One setting names the app; tests need neither marks nor other plugins' settings."""
    assert outcomes(project) == {"passed": 2}


def test_a_project_chooses_its_loops(project: pytest.Pytester) -> None:
    """The setting ``actorq_loops`` names the loops; each test runs on each of them."""
    project.makeini("[pytest]\nactorq_app = shop:app\nactorq_loops = asyncio trio\n")
    assert outcomes(project) == {"passed": 4}
    project.makeini("[pytest]\nactorq_loops = curio\n")
    result = project.runpytest()
    result.stdout.fnmatch_lines(["*actorq_loops: there is no event loop 'curio'*"])


def test_a_project_has_its_own_choice_of_anyio(project: pytest.Pytester) -> None:
    """A fixture ``anyio_backend`` of the project's is for its other tests: these need virtual time."""
    project.makeconftest(
        "import pytest\n"
        "@pytest.fixture(params=['asyncio', 'trio'])\n"
        "def anyio_backend(request):\n    return request.param\n"
    )
    project.makepyfile(
        test_other="import pytest\n@pytest.mark.anyio\nasync def test_other(anyio_backend):\n    pass\n"
    )
    assert outcomes(project) == {"passed": 4}


def test_an_app_may_be_a_fixture(project: pytest.Pytester) -> None:
    """Instead of the setting a fixture may return the app; without both a test says so."""
    project.makeini("[pytest]\n")
    result = project.runpytest()
    result.stdout.fnmatch_lines(["*which app? Set actorq_app*"])
    assert result.parseoutcomes() == {"passed": 1, "errors": 1}
    project.makeconftest(
        "import pytest, shop\n@pytest.fixture\ndef actorq_app():\n    return shop.app\n"
    )
    assert outcomes(project) == {"passed": 2}


def test_bounds_may_be_a_fixture(project: pytest.Pytester) -> None:
    """A fixture ``actorq_policy`` sets the bounds of the queue."""
    project.makeconftest(
        "import pytest, actorq\n"
        "@pytest.fixture\ndef actorq_policy():\n    return actorq.Policy(max_payload_bytes=1)\n"
    )
    project.makepyfile(
        test_shop="import actorq, pytest\n"
        "async def test_bounds(queue):\n"
        "    with pytest.raises(actorq.InvalidInput):\n"
        "        await queue.enqueue('mail', 'xx')\n"
    )
    assert outcomes(project) == {"passed": 1}


def test_a_test_that_waits_in_vain_fails(project: pytest.Pytester) -> None:
    """What nobody works on is not awaited for ever."""
    project.makepyfile(
        test_shop="from shop import send\n"
        "async def test_vain(app):\n"
        "    await (await send.enqueue('ada')).result()\n"
    )
    result = project.runpytest()
    result.stdout.fnmatch_lines(["*nothing happened for 3600 virtual seconds*"])
    assert result.parseoutcomes() == {"failed": 1}


def test_asynchronous_fixtures_share_the_loop(project: pytest.Pytester) -> None:
    """A project's own asynchronous fixtures, of a module too, run on the same loop, in virtual time."""
    project.makepyfile(
        test_shop="import anyio, pytest\n"
        "@pytest.fixture(scope='module')\n"
        "async def start(anyio_backend):\n"
        "    await anyio.sleep(50)\n"
        "    yield anyio.current_time()\n"
        "async def test_one(start, queue):\n"
        "    await queue.advance(5)\n"
        "    assert anyio.current_time() >= start + 5\n"
    )
    assert outcomes(project) == {"passed": 1}


def test_nobody_else_is_disturbed(pytester: pytest.Pytester) -> None:
    """A project that uses nothing of it has its own fixtures of the same names, and actorq stays out."""
    pytester.makepyfile(
        "import sys, pytest\n"
        "@pytest.fixture\ndef app():\n    return 'mine'\n"
        "@pytest.fixture\ndef queue():\n    return []\n"
        "def test_mine(app, queue):\n"
        "    assert (app, queue) == ('mine', [])\n"
        "    assert 'actorq_pytest' in sys.modules\n"
        "    assert not [name for name in sys.modules if name.partition('.')[0] == 'actorq']\n"
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1)
