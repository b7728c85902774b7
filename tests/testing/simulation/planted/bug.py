"""What a planted bug is: a part of the world that is played by another class, or a decision that is wrong."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from actorq.testing.simulation.director import Parts

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


class Patch(NamedTuple):
    """A function that is replaced: of which module or class, its name, and what makes the wrong one."""

    owner: object
    name: str
    make: Callable[[Any], Any]


class Bug(NamedTuple):
    """One bug: what it does, the invariant that it ``breaks``, and the profile of a world that shows it."""

    name: str
    about: str
    breaks: str
    profile: str
    parts: Parts
    patches: tuple[Patch, ...]


@contextmanager
def planted(bug: Bug) -> Generator[Parts]:
    """Let the decisions be wrong for as long as the block lasts; gives the parts of the world."""
    before = [getattr(patch.owner, patch.name) for patch in bug.patches]
    for patch, original in zip(bug.patches, before, strict=True):
        setattr(patch.owner, patch.name, patch.make(original))
    try:
        yield bug.parts
    finally:
        for patch, original in zip(bug.patches, before, strict=True):
            setattr(patch.owner, patch.name, original)
