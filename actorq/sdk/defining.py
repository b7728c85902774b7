"""From a function and its options to a task's definition, refused where it stands when it cannot be one."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final, cast

from actorq.errors import ActorqError
from actorq.sdk import arguments
from actorq.sdk import options as said
from actorq.sdk.context import Context
from actorq.sdk.errors import TaskError
from actorq.sdk.task import Definition

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from actorq.face import EnqueueOptions
    from actorq.sdk.options import TaskOptions

DEFAULT_QUEUE: Final = "default"
"""Where the jobs of a task go that names no queue."""

_OWN: Final = ("name", "queue", "unique", "unique_for", "on_duplicate", "concurrency", "processes")


def define(function: Callable[..., object], options: TaskOptions) -> Definition:
    """Return the definition of a task; raises ``TaskError``."""
    name = options.get("name") or str(getattr(function, "__name__", function))
    signature = arguments.read(function, name)
    unique = _unique(options, name, signature.arguments.names)
    queue_name = options.get("queue", DEFAULT_QUEUE)
    try:
        enqueue = _enqueue_options(options, name)
        # A key is needed for a window to mean something; each call has its own.
        key: EnqueueOptions = {} if unique is None else {"dedupe_key": name}
        said.check(queue_name, {**enqueue, **key})
    except ActorqError as error:
        raise TaskError(f"task {name}: {error}") from None
    definition = Definition(
        name=name,
        function=function,
        is_async=inspect.iscoroutinefunction(function),
        signature=signature,
        queue_name=queue_name,
        options=enqueue,
        unique=unique,
        concurrency=options.get("concurrency"),
        processes=options.get("processes", False),
    )
    _check_running(definition)
    return definition


def _enqueue_options(options: TaskOptions, name: str) -> EnqueueOptions:
    """Return what every job of the task has, unless its call says otherwise."""
    others: dict[str, Any] = {key: value for key, value in options.items() if key not in _OWN}
    others["task"] = name
    if "unique_for" in options:
        others["dedupe_window"] = options["unique_for"]
    if "on_duplicate" in options:
        others["on_duplicate"] = options["on_duplicate"]
    return said.to_enqueue(others)


def _unique(options: TaskOptions, name: str, names: Sequence[str]) -> tuple[str, ...] | None:
    """Return the arguments that make two calls the same: none named means all."""
    asked = options.get("unique", False)
    if asked is False:
        for option in ("unique_for", "on_duplicate"):
            if option in options:
                raise TaskError(f"task {name}: {option} means nothing without unique")
        return None
    if asked is True:
        return ()
    chosen = (asked,) if isinstance(asked, str) else tuple(asked)
    for each in chosen:
        if each not in names:
            raise TaskError(f"task {name}: unique names {each!r}, which is none of its parameters")
    return chosen


def _check_running(definition: Definition) -> None:
    name = definition.name
    if definition.concurrency is not None and definition.concurrency < 1:
        raise TaskError(f"task {name}: concurrency must be at least 1")
    if not definition.processes:
        return
    if definition.is_async:
        raise TaskError(f"task {name}: processes is for plain functions, not async ones")
    for parameter, key in cast("dict[str, object]", definition.signature.injected).items():
        if key is not Context:
            raise TaskError(
                f"task {name}, parameter {parameter!r}: only the Context reaches another process"
            )
