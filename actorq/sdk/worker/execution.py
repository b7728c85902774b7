"""The execution of a job: from a hold to what the queue is told of it."""

from __future__ import annotations

import logging
import math
import time
from contextlib import AsyncExitStack, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import anyio
from msgspec.structs import replace

from actorq.core.commands import Release
from actorq.core.job import Delivery
from actorq.sdk.codec import Unreadable
from actorq.sdk.context import Context
from actorq.sdk.injection import enter
from actorq.sdk.json_types import NotJson
from actorq.sdk.worker.endings import Ending, Failed, Returned, raised, returned, settling
from actorq.sdk.worker.failures import describe
from actorq.sdk.worker.frames import Order
from actorq.sdk.worker.hold import Hold, Why
from actorq.sdk.worker.link import WorkerLink

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from actorq.sdk.arguments import Bound
    from actorq.sdk.codec import Codecs
    from actorq.sdk.door import Door, Settling
    from actorq.sdk.worker.children import Children
    from actorq.sdk.worker.places import Place
    from actorq.sdk.worker.recipe import Recipe
    from actorq.sdk.worker.threads import Threads

_UNKNOWN_S: Final = 5.0
_LONGEST_UNKNOWN_S: Final = 300.0
_ALERT_S: Final = 60.0
_MOST_ALERTED: Final = 1_000

_log = logging.getLogger("actorq.worker")


class Places(NamedTuple):
    """Where plain functions run."""

    threads: Threads
    children: Children


class Execution:
    """Runs jobs of the tasks that the worker knows, each in a cancel scope of its own."""

    def __init__(
        self,
        *,
        recipes: Mapping[str, Recipe],
        resources: Mapping[object, object],
        codecs: Codecs,
        door: Door,
        clock: Callable[[], float],
        places: Places,
    ) -> None:
        """Take recipes by the names of their tasks, and the resources that live as long as the worker."""
        self._recipes = recipes
        self._resources = resources
        self._codecs = codecs
        self._door = door
        self._clock = clock
        self._places = places
        self._alerted: dict[str, float] = {}

    async def run(self, hold: Hold) -> Settling | None:
        """Run a job; return what the queue is to be told, or None when it is not to be told anything."""
        if hold.stopping is not None or hold.expires <= self._clock():
            return _stopped(hold)
        recipe = self._recipes.get(hold.job.task or "")
        if recipe is None:
            return self._unknown(hold)
        ending = await self._attempt(recipe, hold)
        if ending is None:
            return _stopped(hold)
        if isinstance(ending, Failed):
            _log.warning("a job failed: %s", ending.reason, extra=_about(hold))
        try:
            return settling(hold, ending, self._codecs)
        except Exception as error:  # noqa: BLE001 - a codec is the user's: it cannot end the worker
            return settling(hold, Failed(describe(error), retryable=False), self._codecs)

    async def _attempt(self, recipe: Recipe, hold: Hold) -> Ending | None:
        """Run the handler; None when it was stopped before it had ended."""
        ending: Ending | None = None
        with anyio.CancelScope() as scope:
            hold.scope = scope
            if hold.stopping is not None:
                scope.cancel()
            try:
                ending = await self._call(recipe, hold)
            except BaseException as error:
                if _is_to_go_on(error):
                    raise
                # A cancellation that nobody here asked for: an asyncio task was cancelled from within.
                hold.spoilt = isinstance(error, anyio.get_cancelled_exc_class())
                ending = raised(error)
        hold.scope = None
        if isinstance(ending, Returned) or (hold.stopping is None and not scope.cancel_called):
            return ending
        # Whatever the handler raised since, it did because it was told to stop.
        return None if hold.stopping is not None else _timed_out(ending)

    async def _call(self, recipe: Recipe, hold: Hold) -> Ending:
        try:
            arguments = self._codecs.arguments(hold.job.payload)
            bound = recipe.arguments.read(arguments)
        except (NotJson, Unreadable) as error:
            return Failed(f"the arguments cannot be read: {error}")
        if recipe.is_bare and hold.job.timeout is None:
            hold.started = True
            return returned(await recipe.function(*bound.args, **bound.kwargs))
        async with recipe.limiter or nullcontext():
            self._set_deadline(recipe, hold)
            if recipe.place is None:
                return await self._start(recipe, hold, bound)
            text = arguments if isinstance(arguments, str) else arguments.decode()
            return await self._delegate(recipe.place, hold, text)

    async def _start(self, recipe: Recipe, hold: Hold, bound: Bound) -> Ending:
        """Bring what is injected, and run the function here or in a thread."""
        async with AsyncExitStack() as stack:
            context = Context(hold.job, WorkerLink(hold, self._door))
            values = {**self._resources, Context: context}
            await enter(stack, recipe.resources, values)
            injected = {name: values[key] for name, key in recipe.injected.items()}
            call = partial(recipe.function, *bound.args, **bound.kwargs, **injected)
            hold.start()
            value: object = await (call() if recipe.is_async else self._places.threads.run(call))
            return returned(value)

    async def _delegate(self, place: Place, hold: Hold, arguments: str) -> Ending:
        """Let a child process run the function."""
        order = Order(place, replace(hold.job, payload=""), arguments)
        link = WorkerLink(hold, self._door)
        return await self._places.children.run(order, link, hold.start)

    @staticmethod
    def _set_deadline(recipe: Recipe, hold: Hold) -> None:
        timeout = hold.job.timeout or recipe.timeout
        if timeout is not None and hold.scope is not None:
            hold.scope.deadline = anyio.current_time() + timeout
            # For threads, which cannot ask the loop what time it has.
            hold.deadline = time.monotonic() + timeout

    def _unknown(self, hold: Hold) -> Release:
        """Leave a job to a worker that knows its task; again and again, ever more seldom."""
        name = hold.job.task or ""
        now = self._clock()
        if now - self._alerted.get(name, -math.inf) >= _ALERT_S:
            if len(self._alerted) >= _MOST_ALERTED:
                self._alerted.clear()
            self._alerted[name] = now
            _log.error(
                "no task here is named %r: is this worker older than who enqueues?",
                name,
                extra=_about(hold),
            )
        delay = min(_LONGEST_UNKNOWN_S, _UNKNOWN_S * 2.0 ** min(hold.job.interruptions, 10))
        return Release(hold.job.id, hold.token, delay)


def _stopped(hold: Hold) -> Release | None:
    """Hand back a job that did not end; say nothing where that would be untrue, or another's business."""
    if hold.stopping is Why.LOST:
        return None
    is_once = hold.job.delivery is Delivery.AT_MOST_ONCE
    if hold.started and is_once and hold.stopping is not Why.CANCEL:
        # A release would say that it was not started. Its lease runs out, and it is dead: not a failure.
        _log.warning("an at-most-once job was interrupted", extra=_about(hold))
        return None
    return Release(hold.job.id, hold.token)


def _timed_out(ending: Ending | None) -> Failed:
    reason = "the handler did not end within its timeout"
    if isinstance(ending, Failed):
        reason = f"{reason}\n{ending.reason}"
    return Failed(reason)


def _is_to_go_on(error: BaseException) -> bool:
    """Tell whether an error is not the handler's own: somebody cancels, or interrupts the program."""
    if isinstance(error, KeyboardInterrupt):
        return True
    cancelled = anyio.get_cancelled_exc_class()
    if not isinstance(error, (cancelled, BaseExceptionGroup)):
        return False
    return anyio.current_effective_deadline() == -math.inf


def _about(hold: Hold) -> dict[str, object]:
    job = hold.job
    return {"job_id": job.id, "attempt": job.attempt, "task": job.task}
