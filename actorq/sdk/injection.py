"""Injection: what a handler needs beside its arguments is named by its type, and brought by the worker.

A parameter whose default is ``injected`` is no argument of the task: it gets the job's ``Context``, or
what a resource of the app gives for exactly the parameter's annotation.
"""

from __future__ import annotations

import collections.abc as c
import inspect
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec

from actorq.errors import ConfigurationError
from actorq.sdk.context import Context
from actorq.sdk.errors import TaskError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

Per = Literal["worker", "job"]


class _Injected:
    """The default of a parameter that the worker fills in."""

    def __repr__(self) -> str:
        return "injected"


injected: Final[Any] = _Injected()
"""Write it as the default of a parameter: ``mailer: Mailer = injected``. Its type is that of any default."""

_STREAMS: Final = (c.AsyncIterator, c.AsyncGenerator, c.AsyncIterable)
_PLAIN_STREAMS: Final = (c.Iterator, c.Generator, c.Iterable)


class Resource(msgspec.Struct, frozen=True):
    """How to make what is injected for ``key``; ``needs`` are its own injected parameters, by name."""

    key: object
    make: Callable[..., object]
    needs: Mapping[str, object]
    per: Per


def read(function: Callable[..., object], per: Per) -> Resource:
    """Read a resource from its function: what it returns, or yields once, is injected by that type."""
    name = getattr(function, "__name__", repr(function))
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as error:
        raise TaskError(f"resource {name}: {error}: it must be importable at run time") from None
    if "return" not in hints:
        raise TaskError(f"resource {name}: says by its return type what it gives, and has none")
    key = hints["return"]
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        if get_origin(key) not in {*_STREAMS, *_PLAIN_STREAMS}:
            raise TaskError(f"resource {name}: yields, so it returns an iterator of what it gives")
        key = get_args(key)[0]
    needs: dict[str, object] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.default is not injected:
            raise TaskError(f"resource {name}: parameter {parameter.name!r} must be injected")
        needs[parameter.name] = hints.get(parameter.name, object)
    return Resource(key, function, needs, per)


class Resources:
    """The resources of an app by what they give. Made once; a worker, or a job, enters them."""

    def __init__(self) -> None:
        """Know none yet."""
        self._by_key: dict[object, Resource] = {}

    def add(self, resource: Resource) -> None:
        """Take one more; each type has one resource (``Annotated`` tells two of a kind apart)."""
        if resource.key is Context or resource.key in self._by_key:
            raise TaskError(f"{_name(resource.key)} is given by another resource already")
        self._by_key[resource.key] = resource

    @contextmanager
    def replaced(self, resource: Resource) -> Generator[None]:
        """Let ``resource`` stand for its type in the block, whatever does so otherwise: for tests."""
        before = self._by_key.get(resource.key)
        self._by_key[resource.key] = resource
        try:
            yield
        finally:
            if before is None:
                del self._by_key[resource.key]
            else:
                self._by_key[resource.key] = before

    def check(self, who: str, needs: Mapping[str, object]) -> None:
        """Raise ``ConfigurationError`` unless every need of ``who`` can be met."""
        for parameter, key in needs.items():
            if key is not Context and key not in self._by_key:
                raise ConfigurationError(
                    f"{who} needs {_name(key)} for {parameter!r}, and no resource gives it"
                )

    def needed_by(self, needs: Iterable[object], per: Per) -> list[Resource]:
        """Return the resources behind ``needs`` which live so long, in the order of entering."""
        found: dict[object, set[object]] = {}
        left = [key for key in needs if key is not Context]
        while left:
            key = left.pop()
            if key not in found:
                resource = self._by_key[key]
                self.check(f"the resource of {_name(key)}", resource.needs)
                found[key] = {need for need in resource.needs.values() if need is not Context}
                left += found[key]
        try:
            order = list(TopologicalSorter(found).static_order())
        except CycleError:
            raise ConfigurationError("resources need each other in a circle") from None
        self._check_lives(order)
        return [self._by_key[key] for key in order if self._by_key[key].per == per]

    def _check_lives(self, order: Iterable[object]) -> None:
        for resource in (self._by_key[key] for key in order):
            for need in resource.needs.values():
                if resource.per == "worker" and (
                    need is Context or self._by_key[need].per == "job"
                ):
                    raise ConfigurationError(
                        f"{_name(resource.key)} lives as long as the worker: it cannot need "
                        f"{_name(need)}, which is a job's"
                    )


async def enter(
    stack: AsyncExitStack, resources: Iterable[Resource], values: dict[object, object]
) -> None:
    """Make what ``resources`` give and add it to ``values``; ``stack`` ends it in reverse order."""
    for resource in resources:
        given = {name: values[key] for name, key in resource.needs.items()}
        make = resource.make
        if inspect.isasyncgenfunction(make):
            value: object = await stack.enter_async_context(asynccontextmanager(make)(**given))
        elif inspect.isgeneratorfunction(make):
            value = stack.enter_context(contextmanager(make)(**given))
        else:
            value = make(**given)
            if inspect.isawaitable(value):
                value = await value
        values[resource.key] = value


def _name(key: object) -> str:
    return key.__qualname__ if isinstance(key, type) else str(key)
