"""A crew: operating system processes that work on one store at the same moment."""

from __future__ import annotations

import multiprocessing
import traceback
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar, cast

from actorq.testing.conformance.threads import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection

    from actorq.backends.backend import Backend, Store

X = TypeVar("X")
T = TypeVar("T")


class Desk:
    """Where a process works: a store of its own, one connection, and a line to the test."""

    def __init__(self, store: Store, line: Connection) -> None:
        """Open the store."""
        self.store = store
        self._line = line
        store.open()
        self.backend: Backend = store.connect()

    def tell(self, word: object) -> None:
        """Tell the test something on the way."""
        self._line.send(Word(word))

    def hang(self) -> None:
        """Do nothing any more, until the test kills the process or hangs up."""
        self._line.recv()

    def close(self) -> None:
        """Let the store go."""
        self.backend.close()
        self.store.close()


class Task(NamedTuple, Generic[X, T]):
    """What a process shall do: ``run(desk, item)``, both known to it by import."""

    recipe: Callable[[], Store]
    run: Callable[[Desk, X], T]
    item: X


class Word(NamedTuple):
    """Something that a process tells; its last one is the result of its task."""

    word: object


class Crash(NamedTuple):
    """The traceback of a task that failed."""

    text: str


def serve(line: Connection) -> None:
    """Do task after task, until the test hangs up: a process spends its life in here."""
    while True:
        try:
            task = cast("Task[object, object]", line.recv())
        except EOFError:
            return
        try:
            desk = Desk(task.recipe(), line)
            try:
                # At the starting line. The answer is the signal to go.
                desk.tell(None)
                line.recv()
                line.send(Word(task.run(desk, task.item)))
            finally:
                desk.close()
        except Exception:  # noqa: BLE001 - whatever it was, the test is told, and fails
            line.send(Crash(traceback.format_exc()))


class Member:
    """One process of the crew."""

    def __init__(self) -> None:
        """Start it; it finds its interpreter and its modules as this one did."""
        context = multiprocessing.get_context("spawn")
        self._line, far_end = context.Pipe()
        self._process = context.Process(target=serve, args=(far_end,), daemon=True)
        self._process.start()
        self._alive = True
        far_end.close()

    def prepare(self, task: Task[X, T]) -> None:
        """Hand it a task; it opens the store and stops at the starting line."""
        self._line.send(task)

    def go(self) -> None:
        """Let it start."""
        self._line.send(None)

    def hear(self) -> object:
        """Return its next word; silence and a crash fail the test."""
        assert self._line.poll(PATIENCE_S), "a process does not answer"
        word = cast("object", self._line.recv())
        assert isinstance(word, Word), cast("Crash", word).text
        return word.word

    def kill(self) -> None:
        """Kill it as the operating system does: at whatever instruction it is."""
        if self._alive:
            self._process.kill()
            self._leave()

    def dismiss(self) -> None:
        """Hang up, upon which it ends by itself."""
        self._line.close()
        self._leave()

    def _leave(self) -> None:
        self._alive = False
        self._process.join(PATIENCE_S)
        self._process.close()
        self._line.close()


class Crew:
    """Processes that are started when they are first needed, and kept for the next test."""

    def __init__(self) -> None:
        """Start with nobody."""
        self._idle: list[Member] = []
        self._busy: list[Member] = []

    def race(
        self, recipe: Callable[[], Store], run: Callable[[Desk, X], T], items: Sequence[X]
    ) -> list[T]:
        """Call ``run`` at once in one process for each item; return the results in order."""
        racers = [self._prepare(Task(recipe, run, item)) for item in items]
        for racer in racers:
            racer.hear()
        for racer in racers:
            racer.go()
        results = [cast("T", racer.hear()) for racer in racers]
        for racer in racers:
            self._busy.remove(racer)
        self._idle += racers
        return results

    def send(self, recipe: Callable[[], Store], run: Callable[[Desk, X], T], item: X) -> Member:
        """Let one process begin ``run``, and return it; it is not used for anything else."""
        member = self._prepare(Task(recipe, run, item))
        member.hear()
        member.go()
        return member

    def dismiss(self) -> None:
        """Let everybody go; whoever is still at work has failed its test, or is past its use."""
        while self._idle:
            self._idle.pop().dismiss()
        while self._busy:
            self._busy.pop().kill()

    def _prepare(self, task: Task[X, T]) -> Member:
        member = self._idle.pop() if self._idle else Member()
        self._busy.append(member)
        member.prepare(task)
        return member
