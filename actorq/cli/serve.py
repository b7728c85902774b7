"""``actorq serve``: a server from its settings to its exit code."""

from __future__ import annotations

import importlib.util
import logging
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Final

import anyio
import anyio.abc

from actorq import __version__, logs
from actorq.cli.stopping import Stopping
from actorq.cli.verdict import explain
from actorq.errors import BackendUnavailable, ConfigurationError
from actorq.http import AppOptions, BodyLimits, create_app
from actorq.http.entrance import Entrance
from actorq.http.server import ServerOptions
from actorq.http.server import serve as serve_http
from actorq.opening import log_crash
from actorq.runtime import Options, running
from actorq.settings import Settings, add_flags, flags_of, load, wants_color
from actorq.settings.checks import is_loopback
from actorq.stores import make_store

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from starlette.types import ASGIApp

    from actorq.face import JobQueue
    from actorq.runtime import Runtime

    MakeApp = Callable[[JobQueue, Settings], ASGIApp]
    OpenRuntime = Callable[[Settings], AbstractAsyncContextManager[Runtime]]

DESCRIPTION: Final = """\
Run a server. Every setting below can be given as a flag, as an environment variable (its name
stands in brackets), or in a TOML file (the flag's name without the dashes in front, and with _ for
each other dash). A flag wins over the environment, the environment over the file.
"""

EXIT_CODES: Final = """\
exit codes: 0 stopped in order after SIGTERM or SIGINT; 1 crashed, could not reach its store within
STORE_PATIENCE, or did not stop within GRACE; 2 settings that cannot be served (also: port in use, not
a database); 128 + n cut short by a second signal of number n (130 for SIGINT, 143 for SIGTERM).
"""

AGAIN_S: Final = 0.5
"""Seconds between two looks for a store that is away when the server starts."""

HTTP_SHARE: Final = 0.75
"""How much of the grace requests in flight may use; the rest is for actors and store."""

_log = logging.getLogger("actorq")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` every setting as a flag."""
    add_flags(parser)
    parser.set_defaults(run=command)


def command(arguments: argparse.Namespace) -> int:
    """Run a server with the settings that hold; raises ``ConfigurationError`` for wrong ones."""
    settings = load(flags_of(arguments))
    logs.configure(settings.log_level, settings.log_format, color=wants_color())
    return run(settings)


def run(
    settings: Settings,
    make_app: MakeApp | None = None,
    open_runtime: OpenRuntime | None = None,
) -> int:
    """Serve until a signal comes or something crashes; return the exit code.

    ``make_app`` and ``open_runtime`` stand in for the application and the store that the settings
    name. The process is to end soon after: once a stop has begun, a watchdog sees to it.
    """
    server = _Server(settings, make_app or _make_app, open_runtime or _open_runtime)
    try:
        anyio.run(server.run, backend=settings.event_loop, backend_options=_loop_options(settings))
    except Exception as error:  # noqa: BLE001 - the end of the line: whatever it is, it is logged
        return explain(error, "server", ready=server.ready)
    return server.exit_code


class _Server:
    """One server process: an HTTP door, and behind it store and runtime, closed in this order."""

    def __init__(self, settings: Settings, make_app: MakeApp, open_runtime: OpenRuntime) -> None:
        self._settings = settings
        self._make_app = make_app
        self._open_runtime = open_runtime
        self._entrance = Entrance()
        self._address = ""
        self._runtime: Runtime | None = None
        self.ready = False
        self.exit_code = 0

    async def run(self) -> None:
        """Serve until told to stop."""
        stopping = Stopping(self._settings.grace)
        self._opening = anyio.CancelScope()
        self._closed = anyio.Event()
        async with anyio.create_task_group() as tasks:
            # First of all: a stop may be asked for while the store is still being opened.
            await tasks.start(stopping.watch)
            async with anyio.create_task_group() as doors:
                await doors.start(self._serve_http, stopping)
                await self._work(stopping)
            stopping.has_ended()
            tasks.cancel_scope.cancel()
        self.exit_code = stopping.exit_code

    # ── the door ────────────────────────────────────────────────────────────────────────────────

    async def _serve_http(
        self,
        stopping: Stopping,
        *,
        task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
    ) -> None:
        settings = self._settings

        def note(host: str, port: int) -> None:
            self._address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
            task_status.started()

        async def asked() -> None:
            await stopping.asked()
            self._leave()

        try:
            with stopping.door:
                await serve_http(
                    self._entrance,
                    host=settings.host,
                    port=settings.port,
                    shutdown=asked,
                    server=settings.http_server,
                    grace=settings.grace * HTTP_SHARE,
                    on_bound=note,
                    options=ServerOptions(max_connections=settings.max_connections),
                )
        finally:
            self._leave()
            self._closed.set()

    def _leave(self) -> None:
        """Before the door closes: answer whoever waits for a job, or wait for the store no more."""
        if self._runtime is None:
            self._opening.cancel()
        else:
            self._runtime.drain()

    # ── behind it ───────────────────────────────────────────────────────────────────────────────

    async def _work(self, stopping: Stopping) -> None:
        """Open the store, then let the queue run until the door has closed."""
        with self._opening:
            async with AsyncExitStack() as stack:
                self._runtime = runtime = await self._opened(stack)
                # What it warns of now, ``/readyz`` repeats: a store that has gone again may be waited for.
                with suppress(BackendUnavailable):
                    for warning in (await runtime.queue.check()).warnings:
                        _log.warning("store: %s", warning)
                self._entrance.open(self._make_app(runtime.queue, self._settings))
                self._announce()
                try:
                    await self._closed.wait()
                finally:
                    stopping.crashing()

    async def _opened(self, stack: AsyncExitStack) -> Runtime:
        """Open store and runtime; wait for a store that is away, for as long as the settings say."""
        settings = self._settings
        end = anyio.current_time() + settings.store_patience
        told = ""
        while True:
            try:
                return await stack.enter_async_context(self._open_runtime(settings))
            except BackendUnavailable as error:
                if anyio.current_time() + AGAIN_S > end:
                    raise
                if str(error) != told:
                    told = str(error)
                    _log.warning(
                        "waiting for the store: %s", told, extra={"address": self._address}
                    )
            await anyio.sleep(AGAIN_S)

    def _announce(self) -> None:
        """Print the one line of a server that is ready."""
        self.ready = True
        settings = self._settings
        store = logs.printable(settings.store_name())
        # A launcher that has closed our stdout is no reason to stop.
        with suppress(OSError):
            print(
                f"actorq {__version__} is ready on {self._address} with store {store}", flush=True
            )
        if not is_loopback(settings.host):
            _log.warning(
                "whoever reaches this address may do everything", extra={"host": settings.host}
            )


def runtime_options(settings: Settings) -> Options:
    """Return the runtime's share of the settings."""
    return Options(
        policy=settings.policy(),
        pool_size=settings.pool_size,
        grace=settings.grace * (1 - HTTP_SHARE),
    )


def _open_runtime(settings: Settings) -> AbstractAsyncContextManager[Runtime]:
    store = make_store(settings.place(), settings.policy())
    return running(store, runtime_options(settings), log_crash)


def _make_app(queue: JobQueue, settings: Settings) -> ASGIApp:
    options = AppOptions(
        body=BodyLimits(max_body=settings.max_body_bytes, body_timeout=settings.body_timeout),
        max_batch=settings.max_batch,
        max_requests=settings.max_requests,
        max_waiters=settings.max_waiters,
        require_lease_token=settings.require_lease_token,
    )
    return create_app(queue, options)


def _loop_options(settings: Settings) -> dict[str, bool]:
    """Return what anyio needs to start the loop: uvloop under uvicorn, where it is installed."""
    if settings.event_loop == "trio":
        if importlib.util.find_spec("trio") is None:
            raise ConfigurationError("EVENT_LOOP: trio is not installed: pip install trio")
        return {}
    fast = settings.http_server == "uvicorn"
    return {"use_uvloop": fast and importlib.util.find_spec("uvloop") is not None}
