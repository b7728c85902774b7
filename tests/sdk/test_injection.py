"""What a handler needs beside its arguments is brought by its type."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,  # noqa: TC003 - resources are read at run time
    AsyncIterator,  # noqa: TC003 - the same
    Iterator,  # noqa: TC003 - the same
)
from typing import Annotated

import anyio
import anyio.lowlevel
import pytest

from actorq import App, ConfigurationError, Context, TaskError, injected, open_queue


class Log(list[str]):
    """What happened, in order."""


class Pool:
    """A resource that lives as long as the worker."""


class Session:
    """A resource that lives as long as a job."""

    def __init__(self, pool: Pool, job_id: str) -> None:
        self.pool = pool
        self.job_id = job_id


Replica = Annotated[Pool, "replica"]


async def test_resources_live_as_long_as_they_should() -> None:
    """A worker's are entered once, a job's around each; all end in reverse order, knowing of errors."""
    app = App()
    log = Log()

    @app.resource()
    async def pool() -> AsyncIterator[Pool]:
        log.append("pool")
        yield Pool()
        log.append("pool ends")

    @app.resource()
    def replica(pool: Pool = injected) -> Replica:
        del pool
        log.append("replica")
        return Pool()

    @app.resource(per="job")
    def session(pool: Pool = injected, context: Context = injected) -> Iterator[Session]:
        log.append("session")
        try:
            yield Session(pool, context.job.id)
        except ValueError:
            log.append("rolled back")
            raise
        log.append("committed")

    @app.task(max_retries=0)
    async def work(
        fails: bool,
        *,
        session: Session = injected,
        replica: Replica = injected,
        context: Context = injected,
    ) -> list[bool]:
        if fails:
            raise ValueError
        return [session.pool is replica, session.job_id == context.job.id]

    async with open_queue("memory://") as queue:
        with anyio.fail_after(20):
            async with app.worker(queue, concurrency=1):
                assert await (await work.enqueue(fails=False)).result() == [False, True]
                await (await work.enqueue(fails=True)).wait()
                assert log == ["pool", "replica", "session", "committed", "session", "rolled back"]
    assert log[-1] == "pool ends"


async def test_a_plain_function_is_given_resources_too() -> None:
    """Entered in the event loop, used in the thread."""
    app = App()

    @app.resource()
    async def pool() -> Pool:
        await anyio.lowlevel.checkpoint()
        return Pool()

    @app.task
    def work(*, pool: Pool = injected) -> str:
        return type(pool).__name__

    async with open_queue("memory://") as queue:
        with anyio.fail_after(20):
            async with app.worker(queue):
                assert await (await work.enqueue()).result() == "Pool"


async def test_a_function_is_called_with_anything_in_tests() -> None:
    """Calling a task calls its function: what is injected may be given by hand."""
    app = App()

    @app.task
    async def work(number: int, *, log: Log = injected) -> int:
        log.append("worked")
        return number

    log = Log()
    assert await work(3, log=log) == 3
    assert log == ["worked"]
    with pytest.raises(TypeError, match="unexpected keyword argument 'log'"):
        work.call(3, log=log)


async def test_a_worker_without_what_is_needed_does_not_start() -> None:
    """The error names the task and the type; nothing is claimed."""
    app = App()

    @app.task
    async def work(*, pool: Pool = injected) -> None:
        del pool

    async with open_queue("memory://") as queue:
        with pytest.raises(ConfigurationError, match="task work needs Pool for 'pool'"):
            async with app.worker(queue):
                pass


@pytest.mark.parametrize("need", [Context, Session])
async def test_a_workers_resource_cannot_need_what_is_a_jobs(need: type) -> None:
    """There is no job when the worker starts."""
    app = App()

    @app.resource(per="job")
    def session() -> Session:
        return Session(Pool(), "")

    def pool(need: object = injected) -> Pool:
        del need
        return Pool()

    pool.__annotations__["need"] = need
    app.resource()(pool)

    @app.task
    async def work(*, pool: Pool = injected) -> None:
        del pool

    async with open_queue("memory://") as queue:
        with pytest.raises(ConfigurationError, match="Pool lives as long as the worker"):
            async with app.worker(queue):
                pass


def untold() -> Pool:
    return Pool()


del untold.__annotations__["return"]


def asking(pool: int) -> Pool:
    del pool
    return Pool()


def yielding() -> Iterator[Pool]:
    yield Pool()


yielding.__annotations__["return"] = Pool


def contextual() -> Context:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (untold, "untold: says by its return type"),
        (asking, "asking: parameter 'pool' must be injected"),
        (yielding, "yielding: yields, so it returns an iterator"),
        (contextual, "Context is given by another resource already"),
    ],
)
def test_a_resource_that_says_too_little_is_refused(function: object, words: str) -> None:
    """What it gives stands in its return type, and all that it needs is injected."""
    with pytest.raises(TaskError, match=words):
        App().resource()(function)  # type: ignore[type-var]  # functions of any kind


async def test_resources_in_a_circle_are_found_out() -> None:
    """Neither can be made first."""
    app = App()

    @app.resource()
    def pool(session: Session = injected) -> Pool:
        del session
        return Pool()

    @app.resource()
    async def session(pool: Pool = injected) -> AsyncGenerator[Session]:
        yield Session(pool, "")

    @app.task
    async def work(*, pool: Pool = injected) -> None:
        del pool

    async with open_queue("memory://") as queue:
        with pytest.raises(ConfigurationError, match="circle"):
            async with app.worker(queue):
                pass
