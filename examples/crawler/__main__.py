"""Serve a little web of its own, and crawl it: ``--help`` tells the rest."""

from __future__ import annotations

import argparse
import tempfile

import anyio

from examples.crawler.crawling import Crawl, crawl
from examples.crawler.tasks import app
from examples.crawler.web import little_web, serving


async def run(store: str, start: str, depth: int) -> Crawl:
    """Crawl with a worker that runs beside."""
    async with app.worker(store):
        return await crawl(start, depth)


def main() -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(prog="python -m examples.crawler", description=__doc__)
    parser.add_argument("--pages", type=int, default=60, help="how many pages there are [60]")
    parser.add_argument("--depth", type=int, default=10, help="how many links to follow [10]")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serving(little_web(arguments.pages)) as url:
        done = anyio.run(run, f"sqlite:///{folder}/jobs.db", f"{url}/0", arguments.depth)
    for page in done.pages.values():
        print(f"{page.url}: {page.title}, {len(page.links)} links")
    print(f"{len(done.pages)} pages; not to be had: {', '.join(done.failed) or 'none'}")


if __name__ == "__main__":
    main()
