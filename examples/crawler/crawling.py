"""A crawl: its first round is enqueued, and each round begins the next by itself."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, NamedTuple

from examples.crawler.tasks import Visit, conclude, round_of

if TYPE_CHECKING:
    from actorq import JobHandle
    from examples.crawler.tasks import Round


class Crawl(NamedTuple):
    """What a crawl came to: pages by their addresses, and what could not be visited."""

    pages: dict[str, Visit]
    failed: list[str]


async def crawl(start: str, depth: int) -> Crawl:
    """Visit a page, and all that it leads to within so many links; the app must be connected.

    It only looks on: whoever enqueued the first round may go away, and the crawl goes on.
    """
    done = Crawl({}, [])
    handle: JobHandle[Round] = await round_of([start], [], depth, str(uuid.uuid4())).enqueue()
    while True:
        found = await handle.result()
        done.pages.update((page.url, page) for page in found.pages)
        done.failed.extend(found.failed)
        if found.following is None:
            return done
        handle = conclude.handle(found.following)
