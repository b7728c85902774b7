"""Calls as type checkers see them: right ones pass, and wrong ones are known. Nothing here is ever run.

An error that a checker no longer sees makes its comment superfluous, which mypy reports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_type

from actorq import ActorqError, Claimed, Enqueued, Job, PrunedReplay
from actorq.sdk.door import Door, Renewals, Renewer
from tests.testing.kit.test_app import send

if TYPE_CHECKING:
    from actorq.sdk.client import AsyncClient, Client
    from actorq.sdk.client.door import ClientDoor
    from actorq.testing import AppUnderTest


def right(client: Client) -> None:
    """Make calls of the blocking client."""
    assert_type(client.enqueue("q", "x", priority=3, on_duplicate="reject"), Job)
    new = [client.new_job("q", "x", delay=1.0)]
    assert_type(client.enqueue_many(new), list[Enqueued | PrunedReplay | ActorqError])
    assert_type(client.dequeue("q", wait=5), Job | None)
    assert_type(client.renew("w", []), Renewals)


async def right_too(client: AsyncClient) -> None:
    """Make calls of the other one."""
    assert_type(await client.dequeue_many("q", 5, visibility_timeout=9.0), Claimed)
    assert_type([job async for job in client.jobs()], list[Job])


def fits(client: Client, door: ClientDoor) -> tuple[Renewer, Door]:
    """Give tasks and workers what they want of a client."""
    return client, door


def wrong(client: Client) -> None:
    """Make calls that cannot be."""
    client.enqueue("q", "x", prio=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue] - no such option
    client.enqueue("q", 7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - payloads are text
    client.ack("id", result=object())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - no JSON


async def wrong_too(client: AsyncClient, app: AppUnderTest) -> None:
    """Make others."""
    client.enqueue("q", "x")  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine] - no await
    await client.get_job(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - ids are text
    app.assert_enqueued(send, 7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a name
