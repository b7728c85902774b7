"""Both clients against a real server: listings, figures and settings of queues, dead letters."""

from __future__ import annotations

import pytest

from actorq import InvalidInput, ListJobs, NotFound, QueueEdit, Retention, Status
from tests.http.door import NOBODY
from tests.sdk.client.servers import open_server
from tests.sdk.client.speakers import Kind, speaking, with_each_client

pytestmark = with_each_client


async def test_listings_by_every_filter(kind: Kind) -> None:
    """A listing's filters reach the server, and its cursor leads to the next page (§9)."""
    async with open_server() as served, speaking(kind, served.url) as speaker:
        queue = served.door.queue
        made = [
            await queue.enqueue("work", str(n), metadata={"parity é": str(n % 2)}) for n in range(5)
        ]
        await queue.enqueue("other", "x")
        wanted = ListJobs(
            queue_name="work",
            statuses=frozenset({Status.PENDING, Status.DEAD}),
            metadata={"parity é": "0"},
            created_from=made[0].created_at,
            created_to=made[0].created_at + 1,
            limit=2,
        )
        page = await speaker.say(lambda calls: calls.list_jobs(wanted))
        assert [job.payload for job in page.jobs] == ["4", "2"]
        assert page.next_before is not None
        none = await speaker.say(lambda calls: calls.list_jobs(ListJobs(error="boom")))
        assert none.jobs == ()
        with pytest.raises(InvalidInput):
            await speaker.say(lambda calls: calls.list_jobs(ListJobs(before="no cursor")))


async def test_figures_and_settings_of_queues(kind: Kind) -> None:
    """Figures, lengths and settings are the records that the embedded queue gives (§8)."""
    async with open_server() as served, speaking(kind, served.url) as speaker:
        queue = served.door.queue
        await queue.enqueue("work", "x")
        (embedded,) = await queue.list_queues()
        assert await speaker.say(lambda calls: calls.list_queues()) == [embedded]
        assert await speaker.say(lambda calls: calls.get_queue("work")) == embedded
        length = await speaker.say(lambda calls: calls.get_queue_length("work"))
        assert [length] == await queue.get_queue_lengths(["work"])
        edit = QueueEdit(queue_name="work", max_running=3, retention=Retention(dead=60.0))
        changed = await speaker.say(lambda calls: calls.update_queue(edit))
        assert changed == (await queue.list_queues(["work"]))[0].settings
        assert await speaker.say(lambda calls: calls.get_settings("work")) == changed
        paused = await speaker.say(lambda calls: calls.pause("work", "why"))
        assert (paused.paused, paused.paused_reason) == (True, "why")
        with pytest.raises(InvalidInput, match="pause"):
            await speaker.say(
                lambda calls: calls.update_queue(QueueEdit(queue_name="work", paused=False))
            )
        assert isinstance(await speaker.say(lambda calls: calls.check()), tuple)


async def test_dead_letters(kind: Kind) -> None:
    """Dead jobs are redriven by their ids or by number, and purged by status (§8, I14)."""
    async with open_server() as served, speaking(kind, served.url) as speaker:
        dead = [await served.door.bury() for _ in range(3)]
        by_id = await speaker.say(lambda calls: calls.redrive_many("work", [dead[0], NOBODY]))
        first, missing = by_id
        assert not isinstance(first, Exception)
        assert first.id == dead[0]
        assert isinstance(missing, NotFound)
        rest = await speaker.say(lambda calls: calls.redrive_dead("work"))
        assert {job.id for job in rest if not isinstance(job, Exception)} == set(dead[1:])
        assert await speaker.say(lambda calls: calls.purge("work", {Status.PENDING})) == 3
