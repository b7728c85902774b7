"""The numbers of queues: what stands for a queue's name in every row."""

from __future__ import annotations


class Names:
    """The queues whose number this process has learnt. A queue is never renamed, nor deleted.

    Only what was committed may be told to it. Safe to use from several threads: each step is one
    operation of a dictionary.
    """

    def __init__(self) -> None:
        """Start without a queue."""
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}

    def number(self, name: str) -> int | None:
        """Return the number of a queue, if it is known here."""
        return self._numbers.get(name)

    def name(self, number: int) -> str | None:
        """Return the name of a queue, if it is known here."""
        return self._names.get(number)

    def learn(self, number: int, name: str) -> None:
        """Take note of a queue."""
        self._names[number] = name
        self._numbers[name] = number
