"""Where a task's function stands, so that another process can find it too."""

from __future__ import annotations

import importlib
import runpy
import sys
from typing import TYPE_CHECKING, Final, cast

import msgspec

from actorq.sdk.task import Task

if TYPE_CHECKING:
    from typing import Any

_PROGRAM: Final = "__actorq_child__"
"""The name under which the file of a program is run in a child: it is not the main program there."""


class Place(msgspec.Struct, frozen=True):
    """A name in a module that can be imported, or in the file of a program."""

    module: str
    file: str | None
    name: str


def place_of(task: Task[..., Any]) -> Place:
    """Return where a child finds ``task``; called in the worker."""
    function = task.definition.function
    module = function.__module__
    file: str | None = None
    if module == "__main__":
        main_module = sys.modules["__main__"]
        spec = main_module.__spec__
        if spec is None:
            file = main_module.__file__
        else:
            module = spec.name
    return Place(module, file, function.__qualname__)


def find(place: Place) -> Task[..., Any]:
    """Return the task at ``place``; raises ``TypeError`` where there is none."""
    if place.file is None:
        found: object = importlib.import_module(place.module)
        for name in place.name.split("."):
            found = getattr(found, name, None)
    else:
        found = runpy.run_path(place.file, run_name=_PROGRAM).get(place.name)
    if not isinstance(found, Task):
        raise TypeError(f"{place.name} is no task of {place.file or place.module}")
    return cast("Task[..., Any]", found)
