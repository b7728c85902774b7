"""Requests made from the description of the API, legal ones and broken ones: never a 5xx."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol, cast

import anyio
import anyio.from_thread
import anyio.lowlevel
import httpx2
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode, checks, openapi

from actorq.http.openapi import document
from actorq.http.server import serve
from tests.http.door import open_door

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from hypothesis.strategies import SearchStrategy

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


class Request(Protocol):
    """What is used of one request that Schemathesis made."""

    body: dict[str, object] | list[object] | str | float | None
    query: dict[str, object] | None
    path_parameters: dict[str, object]

    @property
    def path(self) -> str:
        """Where it goes."""
        ...

    def call(self, *, base_url: str) -> object:
        """Send it."""
        ...

    def validate_response(self, response: object, *, excluded_checks: Sequence[object]) -> None:
        """Compare the answer with its description."""
        ...


class Operation(Protocol):
    """What is used of one operation of the description."""

    path: str
    label: str
    body: Sequence[object]

    def iter_parameters(self) -> Iterable[object]:
        """Give all that its requests may hold beside a body."""
        ...

    def as_strategy(self, *, generation_mode: GenerationMode) -> SearchStrategy[Request]:
        """Make requests of it."""
        ...


class Found(Protocol):
    """An operation that could be read."""

    def ok(self) -> Operation:
        """Return it."""
        ...


class Schema(Protocol):
    """A description as Schemathesis reads it."""

    def get_all_operations(self) -> Iterable[Found]:
        """Give all its operations."""
        ...


def described() -> list[Operation]:
    """Return all operations of the description."""
    schema = cast("Schema", openapi.from_dict(document()))
    return [found.ok() for found in schema.get_all_operations()]


class Site:
    """A server in a thread of its own, so that it can be called without a loop."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: anyio.run(self._run))
        self._client = httpx2.Client()
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

    def scheduled(self, name: str) -> None:
        """Make a schedule of this name."""
        new = {"job": {"queue_name": "fuzzed", "payload": "x"}, "every": 86_400}
        self._client.put(f"{self.url}/schedules/{name}", json=new).raise_for_status()


@pytest.fixture(scope="module")
def site() -> Generator[Site]:
    """Serve an empty store."""
    site = Site()
    site.start()
    yield site
    site.stop()


def prepare(case: Request, site: Site, *, is_legal: bool) -> None:
    """Let a legal request meet a job that is there, under its lease, and not wait for long."""
    if not is_legal:
        # What is broken stays as it is: it is refused before anything waits.
        return
    members = case.body if isinstance(case.body, dict) else {}
    for holder in (members, case.query or {}):
        if holder.get("wait"):
            holder["wait"] = 0.001
    if case.path.startswith("/schedules/{name}") and not members.get("job"):
        site.scheduled(str(case.path_parameters["name"]))
    if case.path.startswith("/jobs/{id}"):
        case.path_parameters["id"], token = site.held()
        if members and case.path.endswith(("/ack", "/fail", "/extend", "/release")):
            members["lease"] = token


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
    def check(case: Request) -> None:
        prepare(case, site, is_legal=mode is GenerationMode.POSITIVE)
        response = case.call(base_url=site.url)
        unchecked = [*UNCHECKED, *BATCH_UNCHECKED] if operation.path in BATCHES else UNCHECKED
        case.validate_response(response, excluded_checks=unchecked)

    check()
