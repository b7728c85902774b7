"""From a path to its handler: a table, as every route leaves open one part of its path at most."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from actorq.errors import ActorqError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from starlette.types import Scope

    from actorq.http.request import Request
    from actorq.http.response import Response

    Handler = Callable[[Request], Awaitable[Response]]

_OPEN_PLACE: Final = 2
_OPEN: Final = re.compile(r"\{[a-z]+\}")
_MARK: Final = "{}"


class NoSuchRoute(ActorqError):
    """No route has this path: 404."""

    code: ClassVar[str] = "no_such_route"

    def __init__(self, path: str) -> None:
        """Point to the list of routes; the usual slip is a slash at the end."""
        ends = ", and none ends with a slash" if len(path) > 1 and path.endswith("/") else ""
        super().__init__(f"nothing is served under this path; /openapi.json lists the routes{ends}")


class MethodNotAllowed(ActorqError):
    """The path takes other methods: 405 with ``Allow``. ``allowed`` names them."""

    code: ClassVar[str] = "method_not_allowed"

    def __init__(self, allowed: str) -> None:
        """Name what is allowed."""
        super().__init__(f"this path takes {allowed}")
        self.allowed = allowed


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the route list; the second part of ``path`` may be open: ``{id}``, ``{name}``."""

    method: str
    path: str
    handle: Handler


class Router:
    """Finds the handler of a request; it looks at the scope's path and method, and at nothing else."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Make the table; a path without an open part goes before one with it."""
        self._fixed: dict[str, dict[str, Handler]] = {}
        self._open: dict[str, dict[str, Handler]] = {}
        for route in routes:
            path, is_open = _OPEN.subn(_MARK, route.path)
            table = self._open if is_open else self._fixed
            methods = table.setdefault(path, {})
            methods[route.method] = route.handle
            if route.method == "GET":
                methods["HEAD"] = route.handle

    def find(self, scope: Scope) -> tuple[Handler, str]:
        """Return the handler and what the open part of its path holds."""
        path = own_path(scope)
        name = ""
        methods = self._fixed.get(path)
        if methods is None:
            parts = path.split("/")
            if len(parts) <= _OPEN_PLACE or path.endswith("/"):
                raise NoSuchRoute(path)
            name, parts[_OPEN_PLACE] = parts[_OPEN_PLACE], _MARK
            methods = self._open.get("/".join(parts))
        # An escaped slash belongs to a name, and no name may hold one: it must not end a part.
        if methods is None or b"%2f" in scope.get("raw_path", b"").lower():
            raise NoSuchRoute(path)
        handler = methods.get(scope["method"])
        if handler is None:
            raise MethodNotAllowed(", ".join(sorted(methods)))
        return handler, name


def own_path(scope: Scope) -> str:
    """Return the path below the one under which the application is mounted."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "").rstrip("/")
    if root and path.startswith(root + "/"):
        return path[len(root) :]
    return path
