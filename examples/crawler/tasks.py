"""The task: one page, fetched and read."""

from __future__ import annotations

from collections.abc import AsyncIterator  # noqa: TC003 - read at run time, as the types of tasks are
from dataclasses import dataclass

from actorq import App, Reject, injected
from examples.crawler.web import Web, read

app = App()


@dataclass
class Visit:
    """What was found at an address."""

    url: str
    title: str
    links: list[str]


@app.resource()
async def web() -> AsyncIterator[Web]:
    """Give all handlers of a worker the same connections."""
    found = Web()
    yield found
    await found.close()


# Two crawls that meet the same page at the same time share one job.
@app.task(queue="pages", max_retries=4, timeout="30s", unique=True)
async def visit(url: str, *, web: Web = injected) -> Visit:
    """Fetch a page; a server that is away for a while is asked again."""
    answer = await web.get(url)
    if answer.status == 404:  # noqa: PLR2004 - everybody knows it
        raise Reject("there is no such page")
    if answer.status != 200:  # noqa: PLR2004 - likewise
        raise OSError(f"the server answered {answer.status}")
    title, links = read(url, answer.text)
    return Visit(url, title, links)
