"""All calls of a client, each described once: what is sent, and what its answer means."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeVar

from actorq.sdk.client.jobs import JobCalls
from actorq.sdk.client.leases import LeaseCalls
from actorq.sdk.client.queues import QueueCalls
from actorq.sdk.client.schedules import ScheduleCalls

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class Calls(JobCalls, LeaseCalls, QueueCalls, ScheduleCalls):
    """The conversations that a client can have with its server."""


class Caller(Protocol):
    """Whoever carries these conversations: either of the clients."""

    calls: Calls


def making(make: Callable[Concatenate[Calls, P], T]) -> Callable[Concatenate[Caller, P], T]:
    """Make a client's method that makes something, and says nothing to the server."""

    @wraps(make)
    def method(self: Caller, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return make(self.calls, *args, **kwargs)

    return method
