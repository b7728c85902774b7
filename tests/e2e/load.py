"""Clients and workers over plain HTTP that go on whatever happens to the server, and note everything."""

from __future__ import annotations

import http.client
import json
import threading
from contextlib import closing
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import msgspec

from tests.e2e.history import Asked
from tests.e2e.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from actorq.testing.invariants.events import Delivery
    from tests.e2e.history import History

    Work = Callable[["Client", History, threading.Event, str], None]

QUEUE = "load"
VISIBILITY_S = 1
TIMEOUT_S = 10.0
PRODUCERS, CONSUMERS = 3, 4


class Answer(NamedTuple):
    """What came back: the body is decoded; names of headers are in lower case."""

    status: int
    body: dict[str, object]
    headers: dict[str, str]


class Address:
    """Where the server is now: clients wait here while it is away."""

    def __init__(self) -> None:
        self._url: str | None = None
        self._changed = threading.Condition()

    def set(self, url: str | None) -> None:
        with self._changed:
            self._url = url
            self._changed.notify_all()

    def get(self, stop: threading.Event) -> str | None:
        """Wait until there is a server; None when it is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._url is not None or stop.is_set())
            return self._url


class Client:
    """One keep-alive connection, made anew when it breaks."""

    def __init__(self, address: Address, stop: threading.Event) -> None:
        self._address = address
        self._stop = stop
        self._connection: http.client.HTTPConnection | None = None

    def call(
        self, method: str, path: str, body: object = None, key: str | None = None
    ) -> Answer | None:
        """Send one request; None when its outcome is unknown (or it is over)."""
        if self._connection is None:
            url = self._address.get(self._stop)
            if url is None:
                return None
            parts = urlsplit(url)
            self._connection = http.client.HTTPConnection(
                parts.hostname or "", parts.port, timeout=TIMEOUT_S
            )
        headers = {"Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        try:
            data = None if body is None else json.dumps(body)
            self._connection.request(method, path, data, headers)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return None
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, json.loads(content) if content else {}, headers)

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def enqueue(client: Client, history: History, asked: Asked) -> None:
    """Ask for one job, and note what came of it."""
    call = history.ask(asked, QUEUE)
    body = {"queue_name": QUEUE, "payload": asked.payload, "delivery": asked.delivery}
    answer = client.call("POST", "/jobs", body, key=asked.key)
    if answer is None or answer.status == 503:
        history.unknown(call)
        return
    assert answer.status == 201, answer
    job = msgspec.convert(answer.body, Shown)
    history.accept(call, asked.key, job, replayed="idempotent-replayed" in answer.headers)


def produce(client: Client, history: History, stop: threading.Event, name: str) -> None:
    """Ask for jobs, one after the other; every third is started at most once."""
    numbers = count()
    while not stop.is_set():
        number = next(numbers)
        delivery: Delivery = "at_least_once" if number % 3 else "at_most_once"
        enqueue(client, history, Asked(f"{name}-{number}", f"job {number} of {name}", delivery))


def consume(
    client: Client,
    history: History,
    stop: threading.Event,
    name: str,
    visibility: float = VISIBILITY_S,
) -> None:
    """Take jobs and complete each with its token as the result."""
    wish = {"worker_id": name, "visibility_timeout": visibility, "wait": 1}
    while not stop.is_set():
        call = history.claim(QUEUE, visibility, wait=1.0)
        answer = client.call("POST", f"/queues/{QUEUE}/dequeue", wish)
        if answer is None or answer.status not in {200, 204}:
            history.unknown(call)
            continue
        jobs = [msgspec.convert(answer.body, Shown)] if answer.status == 200 else []
        history.claimed(call, jobs)
        for job in jobs:
            settle(client, history, job, stop)


def settle(client: Client, history: History, job: Shown, stop: threading.Event) -> None:
    """Acknowledge a job, again and again while the answer is lost."""
    body = {"lease": job.token, "result": job.token}
    while not stop.is_set():
        call = history.ack(job)
        done = client.call("POST", f"/jobs/{job.id}/ack", body)
        if done is None or done.status == 503:
            history.unknown(call)
            continue
        if done.status == 200:
            history.acknowledged(call, msgspec.convert(done.body, Shown))
        else:
            assert (done.status, done.body["code"]) == (409, "lease_lost"), done
            history.refused(call, "lease_lost")
        return


class Load:
    """Threads that go on while servers come and go; an error in one of them fails the test."""

    def __init__(self, history: History, visibility: float = VISIBILITY_S) -> None:
        self.visibility = visibility
        self.address = Address()
        self.stop = threading.Event()
        self._enough = threading.Event()
        self._producers: list[threading.Thread] = []
        self.errors: list[BaseException] = []
        self._history = history
        self._threads: list[threading.Thread] = []

    def client(self) -> Client:
        return Client(self.address, self.stop)

    def produce(self) -> None:
        """Have jobs asked for until there are enough."""
        self._producers = [
            self._run(produce, f"producer-{number}", self._enough) for number in range(PRODUCERS)
        ]

    def consume(self, team: str) -> None:
        """Have jobs done until the end; worker names are never used again."""
        for number in range(CONSUMERS):
            work = partial(consume, visibility=self.visibility)
            self._run(work, f"{team}-{number}", self.stop)

    def enough(self) -> None:
        """Have no more jobs asked for, while a server is there; what is being done goes on."""
        self._enough.set()
        for thread in self._producers:
            thread.join()

    def end(self) -> None:
        """Stop every thread, and say what went wrong in it."""
        self._enough.set()
        self.stop.set()
        self.address.set(None)
        for thread in self._threads:
            thread.join()
        assert not self.errors, self.errors

    def _run(self, work: Work, name: str, stop: threading.Event) -> threading.Thread:
        def guarded() -> None:
            try:
                with closing(self.client()) as client:
                    work(client, self._history, stop, name)
            except BaseException as error:  # noqa: BLE001 - told to the test, which raises it
                self.errors.append(error)

        thread = threading.Thread(target=guarded, name=name)
        thread.start()
        self._threads.append(thread)
        return thread
