"""What is said between client and server, as values. A conversation knows no network and no event loop.

It is a generator: it yields what is to be done next (send a request, pause for a while), is sent what
came of it, and returns what its caller asked for. So each call is described once, and carried out
by a wire that blocks or by one that awaits.
"""

from __future__ import annotations

from collections.abc import Generator
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

ONLY_OK: Final = frozenset({200})


class Repeat(Enum):
    """When a request may be sent again."""

    FREELY = auto()
    """Whatever became of the first: a second time changes nothing."""
    IF_ANSWERED = auto()
    """When the server said that it could not: it undoes by itself what was begun."""
    IF_UNDONE = auto()
    """Only when nothing was done for certain."""
    NEVER = auto()
    """The question is how it is now."""


class Subject(msgspec.Struct, frozen=True):
    """What a request is about, for the words of a refusal."""

    job_id: str = ""
    queue_name: str = ""
    schedule: str = ""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request; ``path`` is escaped already, and ``query`` is not.

    ``wait`` is the seconds for which the server is asked to wait. ``within`` is for how many seconds,
    beside these, an answer is of any use, repeats included (None: as the client's options say).
    ``expect`` are the statuses of success. ``undo`` makes the request that takes back what an answer gave,
    if nobody is left to receive it.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    repeat: Repeat = Repeat.FREELY
    wait: float = 0.0
    within: float | None = None
    expect: frozenset[int] = ONLY_OK
    about: Subject = Subject()
    undo: Callable[[Answer], Request | None] | None = None


class Answer(msgspec.Struct, frozen=True):
    """What the server answered, whole, after ``took`` seconds; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    took: float


class Lost(msgspec.Struct, frozen=True):
    """No answer came within ``took`` seconds; ``was_sent`` when the request may have arrived."""

    why: str
    was_sent: bool
    took: float


class Pause(msgspec.Struct, frozen=True):
    """Do nothing for so many seconds."""

    seconds: float


Step: TypeAlias = Request | Pause
"""What a conversation wants done next."""

Outcome: TypeAlias = Answer | Lost | None
"""What came of a step; None after a pause."""

Conversation: TypeAlias = Generator[Step, Outcome, T]
"""All that is said for the sake of one call, and its result."""


def send(request: Request) -> Conversation[Answer | Lost]:
    """Send one request, once."""
    outcome = yield request
    assert outcome is not None
    return outcome
