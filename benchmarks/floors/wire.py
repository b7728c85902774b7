"""The floor under PostgreSQL and Redis: the store's very messages, sent again by a bare script.

The store does a scenario once on a connection that notes what it sends. The floor sends the same to an
empty database, in the same pieces, and waits for each answer; nothing is checked, decoded or decided.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, Protocol, cast

import msgspec

from actorq.stores import make_store
from benchmarks.contest import BenchmarkError
from benchmarks.floors import verbs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from actorq.backends.backend import Backend
    from benchmarks.floors.verbs import Step

    Place = Callable[[], AbstractContextManager[str]]

_FUNNELS: Final = (("_connection", "exchange"), ("_access.link", "call_many"))
"""Where every message of a backend passes: that of PostgreSQL, and that of Redis."""


class _Talk(Protocol):
    def __call__(self, messages: Sequence[object], /) -> object: ...


class _Recording(msgspec.Struct, frozen=True):
    """What was sent, step by step: each step waits for the answers to its parts, one after the other."""

    prepared: list[list[Sequence[object]]]
    measured: list[list[Sequence[object]]]


def rate(place: Place, scenario: str, sizes: list[int], connections: int = 1) -> float:
    """Send again what ``scenario`` sends, over so many connections; return the jobs a second.

    ``place`` gives the URL of an empty store for a block; two are needed, one after the other.
    """
    with place() as url:
        recording = _record(url, scenario, sizes)
    with place() as url:
        store = make_store(url)
        store.open()
        backends = [store.connect() for _ in range(connections)]
        try:
            talks = [_talk(backend) for backend in backends]
            _send(talks[0], recording.prepared)
            seconds = _shared_out(talks, recording.measured)
            _check(backends[0], scenario, sum(sizes))
            return sum(sizes) / seconds
        finally:
            for backend in backends:
                backend.close()
            store.close()


def _shared_out(talks: list[_Talk], steps: list[list[Sequence[object]]]) -> float:
    """Let every connection send its share of the steps, in a thread of its own; return the seconds."""
    if len(talks) == 1:
        started = time.perf_counter()
        _send(talks[0], steps)
        return time.perf_counter() - started
    gate = threading.Barrier(len(talks) + 1)

    def work(number: int) -> None:
        gate.wait()
        _send(talks[number], steps[number :: len(talks)])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(talks))]
    for thread in threads:
        thread.start()
    gate.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started


def _send(talk: _Talk, steps: list[list[Sequence[object]]]) -> None:
    for step in steps:
        for messages in step:
            talk(messages)


def _record(url: str, scenario: str, sizes: list[int]) -> _Recording:
    work = verbs.steps(scenario, sizes)
    store = make_store(url)
    store.open()
    backend = store.connect()
    noted: list[Sequence[object]] = []
    _listen_in(backend, noted)

    def note(step: Step) -> list[Sequence[object]]:
        noted.clear()
        step(backend)
        return list(noted)

    try:
        return _Recording([note(s) for s in work.prepared], [note(s) for s in work.measured])
    finally:
        backend.close()
        store.close()


def _funnel(backend: Backend) -> tuple[object, str]:
    """Find where a backend sends: the one place that reaches into a store from outside."""
    for path, name in _FUNNELS:
        holder: object = backend
        for part in path.split("."):
            holder = getattr(holder, part, None)
        if holder is not None:
            return holder, name
    raise BenchmarkError(f"{type(backend).__name__} sends nothing that could be noted")


def _talk(backend: Backend) -> _Talk:
    holder, name = _funnel(backend)
    return cast("_Talk", getattr(holder, name))


def _listen_in(backend: Backend, noted: list[Sequence[object]]) -> None:
    holder, name = _funnel(backend)
    talk = _talk(backend)

    def talk_and_note(messages: Sequence[object]) -> object:
        noted.append(messages)
        return talk(messages)

    setattr(holder, name, talk_and_note)


def _check(backend: Backend, scenario: str, jobs: int) -> None:
    """See that the same was done again: a floor that does nothing would be a low one."""
    (stats,) = backend.list_queues()
    done = {"enqueue": "pending", "claim": "running", "ack": "completed", "life": "completed"}
    count = {str(status): number for status, number in stats.counts.items()}
    if (status := done.get(scenario)) is not None and count[status] != jobs:
        raise BenchmarkError(f"the floor left {count[status]} of {jobs} jobs {status}")
