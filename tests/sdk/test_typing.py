"""Types: a wrong call of a task is seen by mypy and by pyright, and a right one is not."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from tests.e2e.server_process import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEAD: Final = '''
from __future__ import annotations

from datetime import timedelta
from typing import assert_type

import actorq

app = actorq.App()


class Mailer:
    """A resource."""


@app.task
async def add(a: int, b: int = 2) -> int:
    return a + b


@app.task(queue="mail", unique=("to",), timeout="5m")
def send(to: str, *, urgent: bool = False, mailer: Mailer = actorq.injected) -> list[str]:
    return [to]


@app.task
async def total(*, context: actorq.Context = actorq.injected) -> int:
    assert_type(await context.results(send), list[list[str]])
    return sum(await context.results(add))


@app.resource(per="job")
def mailer(context: actorq.Context = actorq.injected) -> Mailer:
    return Mailer()


'''

RIGHT: Final = """
async def main() -> None:
    async with app.connect("memory://"), app.worker("memory://", queues={"mail": 2.0}) as worker:
        handle = await add.enqueue(1, b=2)
        assert_type(handle, actorq.JobHandle[int])
        assert_type(await handle.result(timeout="5s"), int)
        late = send.with_options(delay="5m", dedupe_key="k", available_at=None)
        assert_type(await (await late.enqueue("a", urgent=True)).result(), list[str])
        assert_type(send.call("a"), actorq.Call[list[str]])
        assert_type(await add(1), int)
        assert_type(send("a", mailer=Mailer()), list[str])
        for made in await app.enqueue_many([add.call(1), add.call(2, 3)]):
            if isinstance(made, actorq.JobHandle):
                assert_type(await made.result(), int)
        line = actorq.chain(add.call(1), actorq.group([add.call(2)]), send.call("a"))
        assert_type(line, actorq.Chain[list[str]])
        assert_type(await (await line.enqueue()).result(), list[str])
        assert_type(actorq.chain(line, add.call(1)), actorq.Chain[int])
        pair = await actorq.group([line, send.call("b")]).enqueue()
        assert_type(pair, actorq.GroupHandle[list[str]])
        assert_type(await pair.results(), list[list[str]])
        done = actorq.group((add.call(n) for n in range(9)), then=send.call("c"))
        assert_type(await done.enqueue(), actorq.ChainHandle[list[str]])
        await actorq.group([add.call(1), send.call("d")]).enqueue()
        last = send.with_options(depends_on=[handle, "id", *pair.members], on_parent_failure="run")
        await last.enqueue("e")
        async for report in handle.progress():
            print(report)
        assert_type(worker.figures.completed, int)
        raise actorq.Retry("busy", after=timedelta(seconds=1))
"""

WRONG: Final = """
async def main() -> None:
    await add.enqueue("1")  # wrong
    await add.enqueue()  # wrong
    await add.enqueue(1, 2, 3)  # wrong
    await add.enqueue(1, c=3)  # wrong
    await send.enqueue("a", True)  # wrong
    await send.enqueue("a", delay="5m")  # wrong
    send.call(to=5)  # wrong
    await send.with_options(priority=1).enqueue(5)  # wrong
    send.with_options(prio=1)  # wrong
    send.with_options(delay=[])  # wrong
    app.task(queue=5)  # wrong
    text: str = await (await add.enqueue(1)).result()  # wrong
    app.worker("memory://", concurrency="many")  # wrong
    add(1) + 1  # wrong
    send(5)  # wrong
    actorq.Snooze(until="tomorrow")  # wrong
    app.resource(per="day")  # wrong
    actorq.chain(add.call(1), actorq.group([send.call("a")]))  # wrong
    actorq.chain()  # wrong
    actorq.chain(add, send.call("a"))  # wrong
    actorq.chain(add(1), send.call("a"))  # wrong
    actorq.group([send.call(5)])  # wrong
    actorq.group([send("a")])  # wrong
    send.with_options(depends_on=[5])  # wrong
    send.with_options(on_parent_failure="maybe")  # wrong
    words: list[str] = await (await actorq.chain(add.call(1)).enqueue()).result()  # wrong
    print(text, words)
"""


def mypy(folder: Path) -> set[int]:
    """Return the lines of ``case.py`` in which mypy finds an error."""
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent"]
    command += ["--config-file=", f"--cache-dir={folder / 'cache'}", "case.py"]
    return errors(run(command, folder), r"case\.py:(\d+): error")


def pyright(folder: Path) -> set[int]:
    """Return the lines of ``case.py`` in which pyright finds an error."""
    settings = {
        "typeCheckingMode": "strict",
        "extraPaths": [str(ROOT)],
        "reportUnusedExpression": "none",
        "reportUnusedCoroutine": "none",
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", f"--pythonpath={sys.executable}", "case.py"]
    return errors(run(command, folder), r"case\.py:(\d+):\d+ - error")


def run(command: list[str], folder: Path) -> str:
    """Run a checker; return what it said."""
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    done = subprocess.run(  # noqa: S603 - a checker of types
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, 1}, done.stderr
    assert not done.stderr
    return done.stdout


def errors(said: str, form: str) -> set[int]:
    """Return the numbers of the lines that have an error."""
    return {int(number) for number in re.findall(form, said)}


@pytest.mark.parametrize("check", [mypy, pyright])
def test_wrong_calls_are_errors_and_right_ones_are_not(
    check: Callable[[Path], set[int]], tmp_path: Path
) -> None:
    """In every line that is marked, and in no other: arguments, options, results, direct calls."""
    text = HEAD + RIGHT + WRONG.replace("main", "wrong")
    (tmp_path / "case.py").write_text(text)
    lines = enumerate(text.splitlines(), 1)
    marked = {number for number, line in lines if line.endswith("# wrong")}
    assert check(tmp_path) == marked
