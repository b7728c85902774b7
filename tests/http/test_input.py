"""What comes in from outside: numbers at their bounds, JSON made to break parsers, odd names."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from actorq.core.policy import Policy
from tests.http.door import Door, open_door
from tests.http.shown import Shown

PRIORITIES: list[tuple[bytes, bool]] = [
    (b"0", True),
    (b"-1", True),
    (b"2147483647", True),
    (b"2147483648", False),
    (b"-2147483648", True),
    (b"-2147483649", False),
    (b"9007199254740992", False),
    (b"9223372036854775808", False),
    (b"1" * 30, False),
    (b"1" * 5_000, False),
    (b"1e400000", False),
    (b"1.0", False),
    (b"1.5", False),
    (b"1e2", False),
    (b"true", False),
    (b'"5"', False),
    (b"null", False),
    (b"[]", False),
]


@pytest.mark.parametrize(("number", "is_legal"), PRIORITIES)
async def test_priorities_have_bounds(number: bytes, is_legal: bool) -> None:
    """A priority is an integer of 32 bits; everything else is 422 that names it (§1, F1)."""
    async with open_door() as door:
        body = b'{"queue":"q","payload":"x","priority":' + number + b"}"
        answer = await door.call("POST", "/jobs", pieces=[body])
        if is_legal:
            assert answer.job(201).priority == int(number)
        else:
            assert answer.places() == ["/priority"]


async def test_equal_priorities_are_first_in_first_out_at_the_bounds() -> None:
    """At both ends of the range jobs of one priority keep their order (§7, F1)."""
    async with open_door() as door:
        for payload, priority in zip("abcd", [-(2**31), 2**31 - 1] * 2, strict=True):
            await door.put(payload, priority=priority)
        taken = [(await door.take()).payload for _ in range(4)]
        assert taken == ["b", "d", "a", "c"]


WRONG: list[tuple[str, list[object]]] = [
    ("max_retries", [-1, 1001, 1.0, True, None, "3", 2**64]),
    ("delay", [-1, -0.001, "x", "", "-5s", "1x", True, [], {}, 2**70, "9" * 40]),
    ("delay_seconds", [-1, "x"]),
    ("timeout", [0, -1, "0s"]),
    ("available_at", ["", "x", "2026-01-01", "2026-01-01T00:00:00", "1969-12-31T23:59:59Z", 5]),
    ("expires_at", ["x", 1, "99999-01-01T00:00:00Z"]),
    ("delivery", ["", "exactly_once", None, 1]),
    ("on_duplicate", ["", "keep", None]),
    ("task", ["", "x" * 201, "a\0b", 1]),
    ("dedupe_key", ["", "x" * 256, "a\0", 1]),
    ("idempotency_key", ["", "x" * 256, "a\0", 1]),
    ("dedupe_window", [1, -1]),
    ("metadata", [[], "x", {"": "x"}, {"k" * 129: ""}, {"\0": ""}, {"k": "\0"}]),
    ("payload", [None, 1, True, [], {}, {"a": 1}]),
    ("queue_name", ["", "a b", "a/b", "é", "x" * 129, 1]),
    ("backoff", [1, [], "1s"]),
]


@pytest.mark.parametrize(("name", "values"), WRONG)
async def test_a_wrong_value_names_its_field(name: str, values: list[object]) -> None:
    """Whatever breaks a bound of the contract: 422 with the JSON pointer of its field (§1)."""
    async with open_door() as door:
        for value in values:
            body = {"queue_name": "work", "payload": "x", name: value}
            answer = await door.call("POST", "/jobs", body)
            # Null means the default where there is one to mean.
            assert answer.places() == [f"/{name}"], value
        assert await door.queue.list_queues() == []


@pytest.mark.parametrize(
    ("more", "places"),
    [
        ({"nonsense": 1}, ["/nonsense"]),
        ({"a": 1, "queue": "work", "b/c": 2, "d~": 3}, ["/a", "/b~1c", "/d~0"]),
        ({"Payload": "x"}, ["/Payload"]),
        ({"status": "pending"}, ["/status"]),
        ({"x" * 10_000: 1}, ["/" + "x" * 128 + "…"]),
        ({"backoff": {"base": 1, "jitter": 2}}, ["/backoff/jitter"]),
        ({"backoff": {"base": "x"}}, ["/backoff/base"]),
        ({"backoff": {"factor": 0.5}}, ["/backoff/factor"]),
        ({"metadata": {"k": 1}}, ["/metadata"]),
        ({"metadata": {"a/b": "x" * 4_097}}, ["/metadata/a~1b"]),
        ({"metadata": {f"k{n}": "" for n in range(65)}}, ["/metadata"]),
        ({"delay": 1, "delay_seconds": 1}, ["/delay_seconds"]),
        ({"delay": 1, "available_at": "2030-01-01T00:00:00Z"}, ["/delay"]),
        ({"queue": "other"}, ["/queue"]),
        ({"queue_name": None, "queue": "a b"}, ["/queue"]),
        ({"queue_name": None}, ["/queue_name"]),
        ({"delay_seconds": 10**10}, ["/delay_seconds"]),
    ],
)
async def test_unknown_fields_and_contradictions_are_named(
    more: dict[str, object], places: list[str]
) -> None:
    """Every unknown field is named; of two that contradict each other, one (§1, §9)."""
    async with open_door() as door:
        answer = await door.call("POST", "/jobs", {"queue_name": "work", "payload": "x", **more})
        assert answer.places() == places


async def test_a_refused_field_tells_which_are_known() -> None:
    """Who guessed a name is told the names that there are (§1, §9)."""
    async with open_door() as door:
        job = await door.held()
        answer = await door.call("POST", f"/jobs/{job.id}/ack", {"token": "x"})
        detail = answer.problem(422, "invalid_input").detail
        assert detail == "/token: is not a field that is known here; known are lease, result"


async def test_a_refusal_is_not_larger_than_its_request() -> None:
    """A body that is full of unknown fields has a hundred of them named (§9, I18)."""
    async with open_door() as door:
        body = {f"{number:x}": 0 for number in range(50_000)}
        answer = await door.call("POST", "/jobs", body)
        assert answer.places() == [f"/{number:x}" for number in range(100)]


async def test_structured_payloads_are_told_to_encode() -> None:
    """A payload that is no JSON string: 422 that says to encode it (§1)."""
    async with open_door() as door:
        answer = await door.call("POST", "/jobs", {"queue": "q", "payload": {"a": 1}})
        assert "encode" in answer.problem(422, "invalid_input").detail


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "\0",
        "a\0b\0",
        "\u2028 \ufeff \U0001f600 e\u0301",
        "'; DROP TABLE jobs; --",
        "redis.call('FLUSHALL')",
        '<script>alert("1")</script>',
        '{"a": "\\u0000"}',
        "".join(map(chr, range(128))),
    ],
)
async def test_a_payload_comes_back_as_it_was(payload: str) -> None:
    """Text in is text out, whatever it looks like: in payload, metadata, keys and errors (I15, F5)."""
    async with open_door() as door:
        job = await door.put(payload)
        assert (await door.look(job.id)).payload == payload
        if "\0" in payload or not payload:
            return
        text = payload[:200]
        other = await door.put(payload, metadata={text[:32]: text}, dedupe_key=text, task=text)
        assert (await door.look(other.id)).metadata == {text[:32]: text}


async def test_a_payload_has_a_size_in_bytes() -> None:
    """The bound counts bytes of UTF-8, and is met exactly (§1)."""
    async with open_door(policy=Policy(max_payload_bytes=10)) as door:
        for fits in ("x" * 10, "é" * 5):
            assert (await door.put(fits)).payload == fits
        for payload in ("x" * 11, "é" * 5 + "x"):
            answer = await door.call("POST", "/jobs", {"queue": "q", "payload": payload})
            assert answer.places() == ["/payload"]


async def everything(door: Door, job: Shown, text: str) -> None:
    """Send ``text`` in every text field and parameter there is."""
    fields = ["queue_name", "queue", "payload", "task", "dedupe_key", "idempotency_key", "delivery"]
    fields += ["on_duplicate", "delay", "available_at", "expires_at", "timeout", "dedupe_window"]
    for field in fields:
        body = {"queue_name": "work", "payload": "x", "priority": -9, field: text}
        assert (await door.call("POST", "/jobs", body)).status in {200, 201, 422}
    for verb, field in itertools.product(["ack", "fail", "extend", "release"], ["lease", "reason"]):
        answer = await door.call("POST", f"/jobs/{job.id}/{verb}", {field: text, "x": 1})
        assert answer.status == 422
        answer = await door.call("POST", f"/jobs/{job.id}/{verb}", {"lease": text})
        assert answer.status == 409
    for field in ("worker_id", "wait", "visibility_timeout", "max"):
        answer = await door.call("POST", "/queues/empty/dequeue", {field: text})
        assert answer.status in {204, 422}
    for header in ("Idempotency-Key", "If-Match", "If-None-Match", "X-Request-Id", "Host"):
        sent = {header: text.encode("ascii", "ignore").decode().replace("\0", "")}
        answer = await door.call("GET", f"/jobs/{job.id}", headers=sent)
        assert answer.status in {200, 304, 422}


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE jobs; --",
        '" OR 1=1 --',
        "%' ESCAPE '",
        "return redis.call('FLUSHALL')",
        "{x}",
        "*",
        "../../etc/passwd",
        "a\r\nX-Injected: 1",
        "\x1b[31mred",
        "\ufeff\u202e",
        "x" * 10_000,
    ],
)
async def test_text_has_no_meaning_beyond_itself(text: str) -> None:
    """SQL, Lua, globs, paths and headers in any field are data, or refused (F4, F5)."""
    async with open_door() as door:
        job = await door.held()
        await everything(door, job, text)
        assert (await door.look(job.id)).version == job.version


async def test_name_twins_are_refused() -> None:
    """Composed and decomposed letters in a queue's name cannot be mixed up: both are refused (F4)."""
    async with open_door() as door:
        for name in ("caf\u00e9", "cafe\u0301"):
            answer = await door.call("POST", "/jobs", {"queue": name, "payload": "x"})
            assert answer.status == 422


async def test_a_batch_survives_one_poisoned_item() -> None:
    """Should the store itself break over one item, that one is 500 and logged; the rest stand (§9)."""
    async with open_door() as door:
        door.trouble.poison = "poison"
        jobs = [{"queue": "work", "payload": text} for text in ("a", "poison", "b")]
        answer = await door.call("POST", "/jobs/batch", {"jobs": jobs})
        results = answer.read(dict[str, list[dict[str, object]]])["results"]
        assert [one["status"] for one in results] == [201, 500, 201]
        assert msgspec.convert(results[1]["error"], dict[str, object])["code"] == "internal_error"
        assert door.crashes == ["EnqueueJobs"]
