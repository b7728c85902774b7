"""What is said of one operation, before it is OpenAPI."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from actorq import errors as e
from actorq.core.wire.decoding import NotJson
from actorq.http import limits
from actorq.http.origins import READING, CrossOrigin
from actorq.http.request import UnsupportedMediaType

if TYPE_CHECKING:
    from collections.abc import Mapping

    Schema = Mapping[str, object]
    Errors = tuple[type[e.ActorqError], ...]

ALWAYS: Final[Errors] = (
    e.BackendUnavailable,
    e.Overloaded,
    e.ShuttingDown,
    limits.TooManyRequestsInFlight,
    e.InternalError,
)
"""What any operation may be refused with."""

WITH_BODY: Final[Errors] = (
    NotJson,
    limits.BodyTooFragmented,
    limits.BodyTooSlow,
    limits.BodyTooLarge,
    UnsupportedMediaType,
    e.InvalidInput,
)
"""What any operation with a body may be refused with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of the query, or a header; an ``array`` may be given several times."""

    name: str
    about: str
    schema: Schema
    place: str = "query"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a success looks like: one of ``views``, or a list of one of ``lists``."""

    about: str
    views: tuple[type, ...] = ()
    lists: tuple[type, ...] = ()
    example: object = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation: what it takes, what it answers, and with what it may be refused.

    ``body`` is the type of the body; unless ``must`` it may be left out.
    """

    about: str
    details: str = ""
    body: type | None = None
    must: bool = False
    example: object = None
    parameters: tuple[Parameter, ...] = ()
    answers: Mapping[int, Answer]
    refusals: Errors = ()

    def errors(self, method: str) -> Errors:
        """Return all that the operation may be refused with when it is under ``method``."""
        changing = () if method in READING else (CrossOrigin,)
        own = self.refusals if self.body is None else (*WITH_BODY, *self.refusals)
        # InvalidInput may come from the query as well: it is named once.
        return tuple(dict.fromkeys((*own, *changing, *ALWAYS)))
