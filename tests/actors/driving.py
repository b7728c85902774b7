"""Drives actors by hand, without a loop, and looks into their mailboxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actorq.actors.mailbox import Mailbox

if TYPE_CHECKING:
    from collections.abc import Coroutine


def drive(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that has nothing to wait for, without a loop."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise AssertionError("it waits for something")


class Box(Mailbox[Any]):
    """A mailbox into which a test can look, and that it empties in place of the reader."""

    def __init__(self, capacity: int) -> None:
        super().__init__(capacity)
        self.inside: list[object] = []

    def offer(self, message: object) -> bool:
        """Leave a message if there is room and a reader."""
        is_left = super().offer(message)
        if is_left:
            self.inside.append(message)
        return is_left

    def empty(self) -> list[object]:
        """Take all that is there, as a reader does."""
        is_open = self.open
        batch = self.abandon()
        self.open = is_open
        self.inside.clear()
        return batch
