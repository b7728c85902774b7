"""The recipe: how one worker runs one task, found out once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from actorq.sdk.worker.places import place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from actorq.sdk.arguments import Arguments
    from actorq.sdk.injection import Resource, Resources
    from actorq.sdk.task import Task
    from actorq.sdk.worker.places import Place


class Recipe:
    """A task's function, and what it needs at each call."""

    def __init__(self, task: Task[..., Any], resources: Resources) -> None:
        """Find out; raises ``ConfigurationError`` for a need that no resource meets."""
        definition = task.definition
        resources.check(f"task {task.name}", definition.signature.injected)
        self.function: Callable[..., Any] = definition.function
        self.is_async = definition.is_async
        self.arguments: Arguments = definition.signature.arguments
        self.injected: Mapping[str, object] = definition.signature.injected
        self.resources: list[Resource] = resources.needed_by(self.injected.values(), "job")
        self.timeout = definition.options.get("timeout")
        self.limiter: anyio.CapacityLimiter | None = None
        if definition.concurrency is not None:
            self.limiter = anyio.CapacityLimiter(definition.concurrency)
        self.place: Place | None = place_of(task) if definition.processes else None
        self.is_bare = (
            self.is_async and not self.injected and self.limiter is None and self.timeout is None
        )
        """Whether there is nothing to do but to call the function."""
