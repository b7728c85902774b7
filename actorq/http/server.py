"""The server shell: binds the port, runs an ASGI application until told to stop, keeps the grace.

Two servers stand behind one function. ``hypercorn`` runs on asyncio and trio: its HTTP engine under
this project's own connections and task group. ``uvicorn`` is the ``fast`` extra, on asyncio only.
Neither installs signal handlers, calls the application's lifespan, or speaks WebSocket or HTTP/2.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from actorq.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Receive

    Run = Callable[["Serving"], Awaitable[None]]

WHOLE_BODY: Final = "actorq.whole_body"
"""The ASGI extension by which a server says that the body has arrived already, all of it."""

PRESENCE: Final = "actorq.presence"
"""The ASGI extension by which a server lends ``is_here``, which tells at once if the client is there."""

ServerName = Literal["hypercorn", "uvicorn"]

_PORTS: Final = 65_536


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What a connection may cost; times in seconds, sizes in bytes.

    ``idle_timeout`` is the time to send a request's head, from the opening of the connection or the
    previous answer; ``write_timeout`` bounds how long a client may refuse to take the next 64 KiB
    of an answer; ``linger`` is how long a closing connection reads on and discards, so that an early
    answer (413) is not lost to a reset.
    """

    idle_timeout: float = 5.0
    write_timeout: float = 30.0
    linger: float = 1.0
    max_head: int = 32 * 1024
    max_connections: int = 10_000
    backlog: int = 1024


@dataclass(frozen=True, slots=True)
class Serving:
    """One server's order: what to serve on which listening socket, until when, within which bounds.

    ``shutdown`` is awaited and its return starts the stop; ``grace`` is in seconds.
    """

    app: ASGIApp
    listener: socket.socket
    shutdown: Callable[[], Awaitable[object]]
    grace: float
    options: ServerOptions


async def serve(  # noqa: PLR0913 - all keywords, each one setting of the server
    app: ASGIApp,
    *,
    host: str,
    port: int,
    shutdown: Callable[[], Awaitable[object]],
    server: ServerName = "hypercorn",
    grace: float = 30.0,
    on_bound: Callable[[str, int], None] | None = None,
    options: ServerOptions | None = None,
) -> None:
    """Serve ``app`` on ``host:port`` until ``shutdown()`` returns, then stop within ``grace`` s.

    Port 0 takes a free one; ``on_bound`` is told the address in use before the first request is
    taken. From the stop on no connection is taken, idle ones are closed, requests in flight may
    finish; those that have not by the end of the grace are cancelled and their connections cut.
    Raises ``ConfigurationError`` when the address cannot be bound, or when uvicorn is missing or
    the loop is not asyncio.
    """
    run = _runner(server)
    chosen = options or ServerOptions()
    with bind(host, port, backlog=chosen.backlog) as listener:
        if on_bound is not None:
            bound: tuple[str, int] = listener.getsockname()[:2]
            on_bound(*bound)
        await run(Serving(app, listener, shutdown, grace, chosen))


async def disconnected(receive: Receive) -> None:
    """Return when the client has gone; for a handler that waits, beside its wait in a task group.

    Call it once the body has been read: what is left of the body is thrown away.
    """
    while (await receive())["type"] != "http.disconnect":
        pass


def bind(host: str, port: int, *, backlog: int = 1024) -> socket.socket:
    """Open a listening, non-blocking TCP socket; a name with several addresses prefers IPv4.

    Raises ``ConfigurationError`` that names the address and the reason.
    """
    if not 0 <= port < _PORTS:
        # Some systems would take the remainder instead.
        raise ConfigurationError(f"cannot listen on {host}:{port}: ports end at {_PORTS - 1}")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = min(found, key=lambda entry: entry[0])
        listener = socket.socket(family, kind, protocol)
    except (OSError, OverflowError, UnicodeError) as error:
        msg = f"cannot listen on {host}:{port}: {error}"
        raise ConfigurationError(msg) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(backlog)
        listener.settimeout(0)
    except (OSError, OverflowError) as error:
        listener.close()
        raise ConfigurationError(_why_not(host, port, error)) from error
    return listener


def _why_not(host: str, port: int, error: Exception) -> str:
    """Say in one sentence why the address cannot be had."""
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return (
            f"cannot listen on {host}:{port}: the port is in use by another program;"
            " stop it or choose another PORT"
        )
    if isinstance(error, PermissionError):
        return f"cannot listen on {host}:{port}: not permitted (ports under 1024 need rights)"
    return f"cannot listen on {host}:{port}: {error}"


def _runner(server: ServerName) -> Run:
    """Import the server asked for, only now: uvicorn need not be installed."""
    if server == "hypercorn":
        from actorq.http.server_hypercorn import run_hypercorn

        return run_hypercorn
    try:
        asyncio.get_running_loop()
    except RuntimeError as error:
        msg = "the server uvicorn runs on asyncio only; use hypercorn on trio"
        raise ConfigurationError(msg) from error
    try:
        from actorq.http.server_uvicorn import run_uvicorn
    except ImportError as error:
        msg = 'the server uvicorn needs an extra: pip install "actorq[fast]"'
        raise ConfigurationError(msg) from error
    return run_uvicorn
