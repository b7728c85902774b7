"""Requests made from the description of the API, legal ones and broken ones: never a 5xx."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeAlias

import anyio
import anyio.from_thread
import anyio.lowlevel
import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import APIOperation, Case, GenerationMode, checks, openapi
from schemathesis.core.result import Ok

from actorq.http.openapi import document
from actorq.http.server import serve
from tests.http.door import open_door

if TYPE_CHECKING:
    from collections.abc import Generator

# Schemathesis's classes are generic in what nothing here depends on.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false
Operation: TypeAlias = APIOperation[Any, Any, Any, Any]

EXAMPLES = 12
"""How many requests are made of each operation, legal and broken ones each."""

MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]

checks.load_all_checks()
# Legal by the schema and refused all the same: two fields that contradict each other, 5.0 for an
# integer, a duration of a billion days. The schema cannot say so; the other tests do.
UNCHECKED = [checks.positive_data_acceptance]

BATCHES = {"/jobs/batch", "/jobs/settle"}
# A batch is answered 200, whatever is wrong with one of its items.
BATCH_UNCHECKED = [checks.negative_data_rejection]


def described() -> list[Operation]:
    """Return all operations of the description."""
    results = list(openapi.from_dict(document()).get_all_operations())
    operations = [result.ok() for result in results if isinstance(result, Ok)]
    assert len(operations) == len(results)
    return operations


class Site:
    """A server in a thread of its own, so that it can be called without a loop."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: anyio.run(self._run))
        self._client = httpx.Client()
        self.url = ""

    async def _run(self) -> None:
        async with open_door() as door:
            self._stop = anyio.Event()
            self._token = anyio.lowlevel.current_token()
            await serve(
                door.app,
                host="127.0.0.1",
                port=0,
                shutdown=self._stop.wait,
                grace=1.0,
                on_bound=self._on_bound,
            )
            assert door.crashes == []

    def _on_bound(self, host: str, port: int) -> None:
        self.url = f"http://{host}:{port}"
        self._ready.set()

    def start(self) -> None:
        """Start, and return once the server listens."""
        self._thread.start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        """Stop the server and its thread."""
        self._client.close()
        anyio.from_thread.run_sync(self._stop.set, token=self._token)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def held(self) -> tuple[str, str]:
        """Make a job and claim it; return its id and its lease's token."""
        new = {"queue_name": "fuzzed", "payload": "x", "max_retries": 0}
        self._client.post(f"{self.url}/jobs", json=new).raise_for_status()
        job = self._client.post(f"{self.url}/queues/fuzzed/dequeue").json()
        return job["id"], job["lease"]["token"]


@pytest.fixture(scope="module")
def site() -> Generator[Site]:
    """Serve an empty store."""
    site = Site()
    site.start()
    yield site
    site.stop()


def prepare(case: Case[Any], site: Site) -> None:
    """Let a legal request meet a job that is there, under its lease; and let none wait for long."""
    body, query = case.body, case.query
    if isinstance(body, dict) and body.get("wait"):
        body["wait"] = 0.001
    if query and "wait" in query:
        query["wait"] = 0.001
    is_legal = case.meta is None or case.meta.generation.mode is GenerationMode.POSITIVE
    if is_legal and case.path.startswith("/jobs/{id}"):
        case.path_parameters["id"], token = site.held()
        if isinstance(body, dict) and case.path.endswith(("/ack", "/fail", "/extend", "/release")):
            body["lease"] = token


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", described(), ids=lambda operation: operation.label)
def test_no_request_is_an_error_of_ours(
    site: Site, operation: Operation, mode: GenerationMode
) -> None:
    """Every answer is one that is described, none is a 5xx, and broken requests are refused (§9)."""
    if mode is GenerationMode.NEGATIVE and not (
        list(operation.iter_parameters()) or operation.body
    ):
        # Nothing can be broken in a request that takes nothing: its legal form is made twice.
        mode = GenerationMode.POSITIVE

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(operation.as_strategy(generation_mode=mode))
    def check(case: Case[Any]) -> None:
        prepare(case, site)
        response = case.call(base_url=site.url)
        unchecked = [*UNCHECKED, *BATCH_UNCHECKED] if operation.path in BATCHES else UNCHECKED
        case.validate_response(response, excluded_checks=unchecked)

    check()
