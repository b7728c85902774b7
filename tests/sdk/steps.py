"""Tasks for workflows: some that hand something on, some that tell what came before them."""

from __future__ import annotations

from actorq import App, Context, Reject, Zlib, injected

shop = App(codecs=[Zlib()])


@shop.task
async def fetch(url: str) -> list[str]:
    """Return something to go on with."""
    if url == "nowhere":
        raise Reject("there is nothing")
    return [url, "page"]


@shop.task
async def measure(context: Context = injected) -> int:
    """Measure what the jobs before it fetched."""
    return sum(len(word) for words in await context.results(fetch) for word in words)


@shop.task
def add(context: Context = injected) -> int:
    """Add up what the jobs before it measured, in a thread."""
    return sum(context.results_from_thread(measure))


@shop.task
async def look(context: Context = injected) -> list[str]:
    """Tell what became of the jobs before it."""
    return [job.status.value for job in await context.parents()]


@shop.task(unique=True)
async def rare(name: str) -> str:
    """Be one job a name."""
    return name
