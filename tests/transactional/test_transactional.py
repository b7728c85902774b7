"""Enqueue inside the caller's own transaction: with it or not at all, whatever the driver (§10)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import anyio
import psycopg
import pytest
from msgspec.structs import replace

import actorq
from actorq.core import intake
from actorq.core.instants import to_us
from actorq.core.job import create
from actorq.core.place import Place
from actorq.core.policy import Policy
from actorq.core.queue import QueueEdit
from actorq.transactional import Accepted, TransactionalOptions, enqueue, enqueue_async
from tests.transactional.shop import DRIVERS, QUEUE, Shop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.store("postgres")


@pytest.fixture
def shop() -> Iterator[Shop]:
    """Open the shop."""
    shop = Shop()
    yield shop
    shop.close()


@pytest.mark.parametrize("sell", DRIVERS)
def test_a_job_comes_with_its_transaction(shop: Shop, sell: Callable[..., Accepted]) -> None:
    """After a rollback there is neither order nor job, after a commit there are both (I1)."""
    sell(shop, commit=False)
    assert (shop.orders(), shop.jobs()) == (0, 0)
    accepted = sell(shop, commit=True)
    assert (shop.orders(), shop.jobs()) == (1, 1)
    assert accepted.outcome is actorq.Outcome.CREATED
    assert shop.job(accepted).payload == "a"


@pytest.mark.parametrize("sell", DRIVERS)
def test_a_full_queue_is_told_by_every_driver(shop: Shop, sell: Callable[..., Accepted]) -> None:
    """What the function refuses is the error that every other door raises (§8)."""
    shop.backend.update_queue([QueueEdit(queue_name=QUEUE, max_depth=0)])
    with pytest.raises(actorq.QueueFull, match="max_depth is 0"):
        sell(shop, commit=True)
    assert (shop.orders(), shop.jobs()) == (0, 0)


def test_everything_that_may_be_said_arrives(shop: Shop) -> None:
    """Options mean what they mean to every other enqueue (§1)."""
    wish = TransactionalOptions(
        priority=-7,
        max_retries=9,
        delivery="at_most_once",
        available_at=actorq.from_datetime(datetime(2100, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)),
        metadata={"a": "1", "ü": ":x %s $1"},
        task="send",
        backoff=actorq.Backoff(base=0.5, factor=1.5, max=60.0),
        timeout=12.5,
        expires_at=actorq.from_datetime(datetime(2101, 1, 1, tzinfo=UTC)),
        dedupe_key="k 😀",
        dedupe_window=90.25,
        on_duplicate="reject",
    )
    with psycopg.connect(shop.dsn) as connection:
        accepted = enqueue(connection, QUEUE, "%s :p $1 'q'", namespace=shop.namespace, **wish)
    job = shop.job(accepted)
    new = intake.new_job(job.id, QUEUE, "%s :p $1 'q'", Policy(), **wish)
    unlike = {"version": job.version, "dedupe_until": job.dedupe_until}
    assert job == replace(create(new, job.created_at), **unlike)
    assert job.dedupe_until == job.created_at + to_us(90.25)


def test_a_dedupe_key_is_met(shop: Shop) -> None:
    """A held key is answered as it was asked: with the job, with its replacement, or with a refusal (§6)."""
    with psycopg.connect(shop.dsn) as connection:

        def again(policy: Literal["return", "reject", "replace"]) -> Accepted:
            return enqueue(
                connection,
                QUEUE,
                policy,
                namespace=shop.namespace,
                dedupe_key="k",
                on_duplicate=policy,
            )

        first = again("return")
        assert again("return") == (first.job_id, actorq.Outcome.DUPLICATE)
        assert again("replace") == (first.job_id, actorq.Outcome.REPLACED)
        connection.commit()
        with pytest.raises(actorq.DuplicateJob) as caught:
            again("reject")
        assert caught.value.job_id == first.job_id
        connection.rollback()
    assert shop.job(first).payload == "replace"


@pytest.mark.parametrize(
    ("payload", "options", "pointer"),
    [
        ("a\0b", {}, "/payload"),
        ("x" * 1_048_577, {}, "/payload"),
        ("x", {"priority": 2**31}, "/priority"),
        ("x", {"delay": -1.0}, "/delay"),
        ("x", {"dedupe_window": 1.0}, "/dedupe_window"),
    ],
)
def test_wrong_input_leaves_the_transaction_usable(
    shop: Shop, payload: str, options: dict[str, Any], pointer: str
) -> None:
    """What is wrong is told before anything is sent: the caller may go on and commit (§1)."""
    with psycopg.connect(shop.dsn) as connection:
        connection.execute(shop.order)
        with pytest.raises(actorq.InvalidInput) as caught:
            enqueue(connection, QUEUE, payload, namespace=shop.namespace, **options)
        assert caught.value.pointer == pointer
    assert (shop.orders(), shop.jobs()) == (1, 0)


def test_a_commit_wakes_who_waits(shop: Shop) -> None:
    """A consumer that waits gets the job when its transaction commits, and not before (rule 8)."""

    async def main() -> None:
        async with (
            actorq.open_queue(Place(url=shop.dsn, namespace=shop.namespace)) as queue,
            await psycopg.AsyncConnection.connect(shop.dsn) as connection,
        ):
            accepted = await enqueue_async(connection, QUEUE, "a", namespace=shop.namespace)
            assert await queue.dequeue(QUEUE) is None
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(connection.commit)
                job = await queue.dequeue(QUEUE, wait=10)
                assert job is not None
                assert job.id == accepted.job_id
                await queue.ack(job)

    anyio.run(main)


def test_errors_of_the_driver_stay_what_they_are(shop: Shop) -> None:
    """A schema that is not there, a connection that is no connection: neither is hidden."""
    with psycopg.connect(shop.dsn) as connection, pytest.raises(psycopg.errors.InvalidSchemaName):
        enqueue(connection, QUEUE, "x", namespace="nowhere")
    with pytest.raises(TypeError, match="not Shop"):
        enqueue(shop, QUEUE, "x", namespace=shop.namespace)
    with pytest.raises(actorq.ConfigurationError, match="namespace"):
        enqueue(shop, QUEUE, "x", namespace='a".b')
