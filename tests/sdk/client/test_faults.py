"""Servers that die in mid answer, are slow, talk nonsense, send elsewhere, or never end."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import anyio
import msgspec
import pytest
from msgspec.structs import replace

from actorq import ActorqError, BackendUnavailable
from actorq.core.job import create
from actorq.core.wire.views import job_view
from actorq.sdk.client import BadAnswer, ServerUnreachable
from actorq.testing.clock import START_US
from tests.core.records import ID, new
from tests.sdk.client.servers import open_odd
from tests.sdk.client.speakers import HASTY, STEADY, Kind, Speaker, speaking, with_each_client

if TYPE_CHECKING:
    from tests.sdk.client.servers import Act, Visit

pytestmark = with_each_client

JOB: Final = msgspec.json.encode(job_view(create(new(), START_US)))
OTHER: Final = ID.replace("1", "2")
SHORT: Final = replace(HASTY, timeout=0.2)
LONG_BODY: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n"


async def show(visit: Visit) -> None:
    """Answer with a job, as a real server would."""
    await visit.answer(200, JOB)


async def die_silently(visit: Visit) -> None:
    """Close the connection without a word."""
    await visit.cut()


async def die_in_the_head(visit: Visit) -> None:
    """Die before the head is complete."""
    await visit.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    await visit.cut()


async def die_in_the_body(visit: Visit) -> None:
    """Die before the body is complete."""
    await visit.send(LONG_BODY + JOB)
    await visit.cut()


async def die_in_a_chunk(visit: Visit) -> None:
    """Die before the last chunk."""
    await visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")
    await visit.cut()


async def babble(visit: Visit) -> None:
    """Speak another protocol."""
    await visit.send(b"SSH-2.0-OpenSSH_9.2\r\n")
    await visit.cut()


DEATHS: Final = [die_silently, die_in_the_head, die_in_the_body, die_in_a_chunk, babble]
with_each_death = pytest.mark.parametrize("death", DEATHS)


async def refusal(speaker: Speaker) -> ActorqError:
    """Return the error with which a read ends."""
    with pytest.raises(ActorqError) as caught:
        await speaker.say(lambda calls: calls.get_job(ID))
    return caught.value


@with_each_death
async def test_what_may_be_repeated_survives_a_death(kind: Kind, death: Act) -> None:
    """A server that dies in mid answer is asked again, and the call succeeds (§10)."""
    async with open_odd(death, show) as server, speaking(kind, server.url, STEADY) as speaker:
        job = await speaker.say(lambda calls: calls.get_job(ID))
        assert job.id == ID
        assert len(server.visits) == 2


@with_each_death
async def test_a_claim_does_not_survive_a_death(kind: Kind, death: Act) -> None:
    """A claim that may have taken jobs is told as lost, and not sent again (§4)."""
    async with open_odd(death, show) as server, speaking(kind, server.url, STEADY) as speaker:
        with pytest.raises(ServerUnreachable, match=r"127\.0\.0\.1") as caught:
            await speaker.say(lambda calls: calls.dequeue("work"))
        assert caught.value.was_sent
        assert caught.value.retryable
        assert len(server.visits) == 1


async def test_a_server_that_is_not_there(kind: Kind) -> None:
    """A connection that is refused is known: nothing was sent (§10)."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with speaking(kind, f"http://user:secret@127.0.0.1:{port}/path") as speaker:
        error = await refusal(speaker)
        assert isinstance(error, ServerUnreachable)
        assert not error.was_sent
        assert f"http://127.0.0.1:{port}/path" in str(error)
        assert "secret" not in str(error)


async def test_a_server_that_stays_silent(kind: Kind) -> None:
    """An answer is waited for as long as the options say, and its outcome is unknown (§10)."""

    async def hang(visit: Visit) -> None:
        await visit.stream.receive()

    async with open_odd(hang) as server, speaking(kind, server.url, SHORT) as speaker:
        error = await refusal(speaker)
        assert isinstance(error, ServerUnreachable)
        assert error.was_sent
        with anyio.fail_after(5):
            await server.left.wait()


async def test_a_server_that_drips(kind: Kind) -> None:
    """Pieces that each come in time do not make an answer that never ends (I18)."""

    async def drip(visit: Visit) -> None:
        await visit.send(LONG_BODY)
        while True:
            await visit.send(b" ")
            await anyio.sleep(0.02)

    async with open_odd(drip) as server, speaking(kind, server.url, SHORT) as speaker:
        error = await refusal(speaker)
        assert isinstance(error, ServerUnreachable)
        with anyio.fail_after(5):
            await server.left.wait()


async def test_an_answer_without_end_is_cut(kind: Kind) -> None:
    """No more is read than the options allow, and the connection is closed (I18)."""

    async def flood(visit: Visit) -> None:
        await visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await visit.send(b"10000\r\n" + b" " * 65_536 + b"\r\n")

    options = replace(HASTY, max_answer=200_000)
    async with open_odd(flood) as server, speaking(kind, server.url, options) as speaker:
        error = await refusal(speaker)
        assert isinstance(error, BadAnswer)
        assert "200000" in str(error)
        with anyio.fail_after(5):
            await server.left.wait()


async def test_an_encoding_that_was_not_asked_for(kind: Kind) -> None:
    """A compressed answer, which could unfold to any size, is refused unread (I18)."""

    async def compress(visit: Visit) -> None:
        assert visit.header("accept-encoding") == "identity"
        await visit.answer(200, JOB, "Content-Encoding: gzip")

    async with open_odd(compress) as server, speaking(kind, server.url) as speaker:
        assert "gzip" in str(await refusal(speaker))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(kind: Kind, status: int) -> None:
    """A server that points elsewhere is named with where it points, and nobody else is asked (§9)."""

    async def point(visit: Visit) -> None:
        await visit.answer(status, b"", "Location: /elsewhere")

    async with open_odd(point, show) as server, speaking(kind, server.url, STEADY) as speaker:
        error = await refusal(speaker)
        assert isinstance(error, BadAnswer)
        assert "'/elsewhere'" in str(error)
        assert len(server.visits) == 1


async def test_a_page_instead_of_a_job(kind: Kind) -> None:
    """A 200 from something that is no queue is named as such, and not repeated (§9)."""

    async def page(visit: Visit) -> None:
        await visit.answer(200, b"<html>Sign in</html>", "Content-Type: text/html")

    async with open_odd(page) as server, speaking(kind, server.url, STEADY) as speaker:
        error = await refusal(speaker)
        assert isinstance(error, BadAnswer)
        assert "text/html" in str(error)
        assert "Sign in" in str(error)
        assert len(server.visits) == 1


async def test_a_batch_with_another_number_of_results(kind: Kind) -> None:
    """Results that cannot be matched with what was sent are not guessed at (§9)."""

    async def lose_one(visit: Visit) -> None:
        await visit.answer(200, b'{"results":[{"status":201,"job":' + JOB + b"}]}")

    async with open_odd(lose_one) as server, speaking(kind, server.url) as speaker:
        two = [speaker.client.new_job("q", "x") for _ in range(2)]
        with pytest.raises(BadAnswer, match="2 items were sent, and 1 were answered"):
            await speaker.say(lambda calls: calls.enqueue_many(two))


async def test_interim_answers_are_passed_over(kind: Kind) -> None:
    """An answer of the kind 1xx is followed by the answer (§9)."""

    async def hint(visit: Visit) -> None:
        await visit.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        await visit.answer(200, JOB)

    async with open_odd(hint) as server, speaking(kind, server.url) as speaker:
        assert (await speaker.say(lambda calls: calls.get_job(ID))).id == ID


async def test_an_answer_never_reaches_another_call(kind: Kind) -> None:
    """What a server sends beyond its answer is not taken for the answer of another call (I16)."""
    other = JOB.replace(ID.encode(), OTHER.encode())

    async def say_too_much(visit: Visit) -> None:
        await visit.answer(200, JOB)
        await visit.answer(200, other)

    async with open_odd(say_too_much, show) as server, speaking(kind, server.url) as speaker:
        for _ in range(3):
            with suppress(BadAnswer):
                assert (await speaker.say(lambda calls: calls.get_job(ID))).id == ID


async def test_a_proxy_without_a_server_behind_it(kind: Kind) -> None:
    """502, 503 and 504 of a proxy mean that the server is away; they are waited out (§10)."""

    async def bad_gateway(visit: Visit) -> None:
        await visit.answer(502, b"<h1>502 Bad Gateway</h1>", "Content-Type: text/html")

    async with open_odd(bad_gateway, show) as server, speaking(kind, server.url, STEADY) as speaker:
        assert (await speaker.say(lambda calls: calls.get_job(ID))).id == ID
    async with open_odd(bad_gateway) as server, speaking(kind, server.url) as speaker:
        assert isinstance(await refusal(speaker), BackendUnavailable)
