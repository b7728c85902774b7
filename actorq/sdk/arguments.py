"""The arguments of a task as a JSON object, and back, by the types of the function's signature.

``def send(to: str, *, count: int = 1)`` called with ``("a@b.c")`` is ``{"to": "a@b.c"}``: a member for each
argument that was given, by the parameter's name, so that programs in other languages can write it too. What
was not given is left to the defaults of the function that runs.
"""

from __future__ import annotations

import inspect
from collections import OrderedDict
from inspect import Parameter
from types import FunctionType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast, get_type_hints

import msgspec
from msgspec import UNSET

from actorq.errors import InvalidInput
from actorq.sdk.errors import TaskError
from actorq.sdk.injection import injected
from actorq.sdk.json_types import JsonType, NotJson, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet

_BY_POSITION: Final = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_PLAIN: Final = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


class Bound(NamedTuple):
    """Arguments, ready for a call."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class Signature(NamedTuple):
    """What a function takes, and what it returns: arguments apart from what is injected."""

    arguments: Arguments
    injected: Mapping[str, object]
    """The annotation of each injected parameter, by its name."""
    result: JsonType[Any]


def read(function: Callable[..., object], name: str) -> Signature:
    """Read a function's signature; raises ``TaskError``, naming the task and the parameter."""
    if not isinstance(function, FunctionType):
        raise TaskError(f"task {name}: must be a plain function, not {type(function).__name__}")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TaskError(f"task {name}: must not yield; report progress through its Context")
    parameters = list(inspect.signature(function).parameters.values())
    brought = {
        each.name: _resolved(function, each.annotation, f"task {name}, parameter {each.name!r}")
        for each in parameters
        if each.default is injected
    }
    _check_order(parameters, name)
    own = [each for each in parameters if each.name not in brought]
    returned = inspect.signature(function).return_annotation
    where = f"task {name}, its result"
    kind = Any if returned is Parameter.empty else _resolved(function, returned, where)
    return Signature(Arguments(function, own, name), brought, JsonType(kind, where))


class Arguments:
    """Writes and reads the arguments of one function."""

    def __init__(self, function: FunctionType, parameters: list[Parameter], name: str) -> None:
        """Take the parameters that are the task's own; raises ``TaskError``."""
        self._name = name
        self._signature = inspect.Signature(parameters)
        self._is_plain = all(each.kind in _PLAIN for each in parameters)
        self._positions = [each.name for each in parameters if each.kind in _BY_POSITION]
        self._parameters = parameters
        self._names: AbstractSet[object] = {each.name for each in parameters}
        fields = [_field(function, each, name) for each in parameters]
        # Whatever names the user's parameters have: they are fields, and nothing else is.
        self._struct = msgspec.defstruct(
            "Arguments", fields, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
        )
        self._type: JsonType[msgspec.Struct] = JsonType(self._struct, f"task {name}")

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters, in order."""
        return tuple(self._signature.parameters)

    def bind(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, object]:
        """Return arguments by their names; raises ``TypeError`` as a call of the function would."""
        if self._is_plain and not args and kwargs.keys() == self._names:
            return dict(kwargs)
        try:
            return self._signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            raise TypeError(f"task {self._name}: {error}") from None

    def with_defaults(self, given: Mapping[str, object]) -> dict[str, object]:
        """Return bound arguments together with the function's defaults for the rest."""
        whole = inspect.BoundArguments(self._signature, OrderedDict(given))
        whole.apply_defaults()
        return whole.arguments

    def write(self, given: Mapping[str, object]) -> bytes:
        """Write arguments as JSON; raises ``InvalidInput`` for what would not be read again."""
        try:
            data = write(self._struct(**given))
            # Read at once, so that a value of a wrong type is refused here and not in a worker.
            self._type.read(data)
        except NotJson as error:
            raise InvalidInput("/payload", f"the arguments of task {self._name}: {error}") from None
        return data

    def read(self, data: bytes | str) -> Bound:
        """Read arguments; raises ``NotJson`` for what does not fit the signature."""
        found = self._type.read(data)
        if self._is_plain:
            given = {
                name: value
                for name in found.__struct_fields__
                if (value := getattr(found, name)) is not UNSET
            }
            return Bound((), given)
        return self._spread(found)

    def _spread(self, found: msgspec.Struct) -> Bound:
        """Put each argument where its parameter takes it."""
        args: list[object] = []
        kwargs: dict[str, object] = {}
        for parameter in self._parameters:
            value: Any = getattr(found, parameter.name)
            match parameter.kind:
                case Parameter.VAR_POSITIONAL:
                    args += value
                case Parameter.VAR_KEYWORD:
                    kwargs |= value
                case _ if value is UNSET:
                    pass
                case Parameter.KEYWORD_ONLY:
                    kwargs[parameter.name] = value
                case _ if len(args) == self._positions.index(parameter.name):
                    args.append(value)
                case Parameter.POSITIONAL_ONLY:
                    raise NotJson(f"{parameter.name} is given, and one before it is not")
                case _:
                    kwargs[parameter.name] = value
        return Bound(tuple(args), kwargs)


def _field(function: FunctionType, parameter: Parameter, name: str) -> tuple[str, Any, Any]:
    """Return the member of the JSON object that stands for a parameter."""
    where = f"task {name}, parameter {parameter.name!r}"
    if parameter.annotation is Parameter.empty:
        raise TaskError(f"{where} needs a type, by which its JSON is read")
    kind: Any = _resolved(function, parameter.annotation, where)
    default: Any
    match parameter.kind:
        case Parameter.VAR_POSITIONAL:
            kind, default = tuple[kind, ...], ()
        case Parameter.VAR_KEYWORD:
            # Bare: only this one is left out when it is empty.
            factory: Any = dict
            kind, default = dict[str, kind], msgspec.field(default_factory=factory)
        case _ if parameter.default is Parameter.empty:
            default = msgspec.NODEFAULT
        case _:
            default = UNSET
    JsonType[object](kind, where)
    return parameter.name, kind, default


def _check_order(parameters: Iterable[Parameter], name: str) -> None:
    """Refuse an injected parameter before one that is given by position: positions would shift."""
    brought = ""
    for parameter in parameters:
        if parameter.default is injected:
            brought = parameter.name if parameter.kind in _BY_POSITION else brought
        elif brought and parameter.kind in {*_BY_POSITION, Parameter.VAR_POSITIONAL}:
            raise TaskError(
                f"task {name}, parameter {brought!r}: stands before {parameter.name!r}; "
                "put what is injected last, or after *"
            )


def _resolved(function: FunctionType, annotation: object, where: str) -> object:
    """Return what an annotation means, at run time."""
    holder = SimpleNamespace(__annotations__={"it": annotation})
    try:
        # A decorated function's annotations are those of the function inside.
        names = cast("FunctionType", inspect.unwrap(function)).__globals__
        found = get_type_hints(holder, names, include_extras=True)
    except NameError as error:
        raise TaskError(f"{where}: {error}; its type must be importable at run time") from None
    return cast("object", found["it"])
