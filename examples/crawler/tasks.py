"""The tasks: one page, fetched and read; and one round, which begins the next when its pages are there."""

from __future__ import annotations

from collections.abc import AsyncIterator  # noqa: TC003 - read at run time, as the types of tasks are
from dataclasses import dataclass

from actorq import App, Chain, Context, Reject, group, injected
from examples.crawler.web import Web, read

app = App()


@dataclass
class Visit:
    """What was found at an address."""

    url: str
    title: str
    links: list[str]


@dataclass
class Round:
    """What a round came to: its pages, what could not be visited, and the job of the round after it."""

    pages: list[Visit]
    failed: list[str]
    following: str | None


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


@app.task(queue="rounds")
async def conclude(
    urls: list[str], seen: list[str], depth: int, *, context: Context = injected
) -> Round:
    """Read what the visits to ``urls`` found, and begin the round of all that is new."""
    pages = await context.results(visit)
    found = dict.fromkeys(link for page in pages for link in page.links)
    new = [url for url in found if url not in set(seen)]
    following = None
    if new and depth > 0:
        # Should this handler run twice, the round that it begins is the same one.
        following = (await round_of(new, seen, depth - 1, f"after {context.job.id}").enqueue()).id
    visited = {page.url for page in pages}
    return Round(pages, [url for url in urls if url not in visited], following)


def round_of(urls: list[str], seen: list[str], depth: int, key: str) -> Chain[Round]:
    """Return the visits to ``urls``, all beside each other, and what comes when all have ended."""
    visits = [visit.with_options(idempotency_key=f"{key} {url}").call(url) for url in urls]
    end = conclude.with_options(idempotency_key=key, on_parent_failure="run")
    return group(visits, then=end.call(urls, [*seen, *urls], depth))
