"""Codecs: bytes in, bytes out, and how they become the text that a payload is."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from typing import Any

import anyio
import pytest

from actorq import App, ConfigurationError, Status, Unreadable, Zlib, open_queue
from actorq.sdk.codec import Codecs

TEXT = "ä" * 1_000


class Signed:
    """A codec of a user's: it signs, and its name is the id of the key."""

    def __init__(self, name: str, key: bytes) -> None:
        self.name = name
        self._key = key

    def encode(self, data: bytes, /) -> bytes:
        """Put a signature before the data."""
        return hmac.digest(self._key, data, hashlib.sha256) + data

    def decode(self, data: bytes, /) -> bytes:
        """Check the signature."""
        signature, rest = data[:32], data[32:]
        if not hmac.compare_digest(signature, hmac.digest(self._key, rest, hashlib.sha256)):
            raise ValueError("forged")
        return rest


OLD, NEW = Signed("key-1", b"1"), Signed("key-2", b"2")


def test_without_a_codec_a_payload_is_plain_json() -> None:
    """Anybody can read and write it."""
    plain = Codecs()
    assert plain.payload(b'{"a":1}') == '{"a":1}'
    assert plain.arguments(' {"a":1}') == ' {"a":1}'
    assert plain.result(b"1") == plain.value("1") == "1"


def test_what_a_codec_made_is_base64_behind_its_name() -> None:
    """The name finds the codec that reads it; results are JSON all the same."""
    codecs = Codecs([Zlib()])
    payload = codecs.payload(TEXT.encode())
    assert payload.startswith("zlib:")
    assert len(payload) < 100
    assert codecs.arguments(payload) == TEXT.encode()
    result = codecs.result(TEXT.encode())
    assert json.loads(result).keys() == {"actorq-codec", "data"}
    assert codecs.value(result) == TEXT.encode()


def test_keys_are_changed_without_losing_jobs() -> None:
    """The first codec writes, all read: what the old key signed, and what nobody did."""
    before, after = Codecs([OLD]), Codecs([NEW, OLD])
    assert after.arguments(before.payload(b"{}")) == b"{}"
    assert after.value(before.result(b"1")) == b"1"
    assert after.payload(b"{}").startswith("key-2:")
    assert after.arguments("{}") == "{}"
    assert after.value('{"a":1}') == '{"a":1}'


@pytest.mark.parametrize(
    "payload",
    [
        "key-9:" + b64encode(b"x").decode(),
        "key-1:" + b64encode(bytes(32) + b"{}").decode(),
        "key-1:!",
        "key-1",
        "zlib:" + b64encode(Zlib().encode(b"{}")[:-1]).decode(),
        "\ud800",
    ],
)
def test_what_no_codec_reads_is_refused(payload: str) -> None:
    """An unknown name, a forgery, what is no base64 or was cut short: one error."""
    with pytest.raises(Unreadable):
        Codecs([OLD, Zlib()]).arguments(payload)


def test_nothing_is_inflated_without_end() -> None:
    """A small payload cannot take all memory."""
    bomb = Zlib().encode(bytes(65 * 1024 * 1024))
    with pytest.raises(ValueError, match="larger than 64 MiB"):
        Zlib().decode(bomb)


@pytest.mark.parametrize("codecs", [[Signed("a:b", b"")], [Signed("", b"")], [OLD, OLD]])
def test_names_that_cannot_be_are_refused(codecs: list[Signed]) -> None:
    """A codec's name stands before a colon, and is one codec's."""
    with pytest.raises(ConfigurationError):
        Codecs(codecs)


async def test_jobs_go_through_the_codec_and_back() -> None:
    """Arguments and results are sealed in the store; a worker without the key leaves the job alone."""
    sealed, ignorant = App(codecs=[NEW]), App()
    name = "double"
    for app in (sealed, ignorant):

        @app.task(name=name, max_retries=0)
        async def double(number: int) -> list[int]:
            return [number, number]

    task: Any = sealed.tasks[name]
    async with open_queue("memory://") as queue, sealed.connect(queue):
        with anyio.fail_after(20):
            async with sealed.worker(queue):
                handle = await task.enqueue(21)
                assert await handle.result() == [21, 21]
            job = await handle.job()
            assert "21" not in job.payload
            assert "21" not in (job.result or "")
            async with ignorant.worker(queue):
                handle = await task.enqueue(21)
                job = await handle.wait()
                assert job.status is Status.DEAD
                assert "no codec here is named 'key-2'" in job.errors[0].message
