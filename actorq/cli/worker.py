"""``actorq worker``: a program's tasks, worked on by one process or several."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import logging
import os
import sys
import threading
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any, Final

import anyio
from msgspec.structs import replace

from actorq import __version__, logs
from actorq.cli import fleet
from actorq.cli.leash import hold_leash
from actorq.cli.stopping import Stopping
from actorq.cli.verdict import explain
from actorq.core.place import Place
from actorq.errors import BackendUnavailable, ConfigurationError
from actorq.opening import open_queue
from actorq.runtime import Options
from actorq.sdk.app import App
from actorq.settings import Settings, add_flags, flags_of, load, wants_color

if TYPE_CHECKING:
    from actorq.face import JobQueue
    from actorq.sdk.worker import Worker, WorkerOptions

DESCRIPTION: Final = """\
Run the tasks of an app. MODULE:APP names it, such as shop.tasks:app; the module is found from the
current folder too. Jobs come from a server (--url), or straight from a store (--store, or the one
that the settings name). What concerns a store or logs can be set as for actorq serve.
"""

EXIT_CODES: Final = """\
exit codes: 0 stopped in order after SIGTERM or SIGINT; 1 crashed, or did not stop within GRACE; 2 wrong
settings (also: no such app, a queue that cannot be, a store that is none); 128 + n cut short by a second
signal of number n. Of several processes one that crashes is started anew; when they crash one after the
other at their start, all are stopped, with 1.
"""

AGAIN_S: Final = 0.5
"""Seconds between two looks for a store that is away when the worker starts."""

RUNTIME_SHARE: Final = 0.2
"""How much of the grace is for actors and store, behind the worker."""

_JOIN_S: Final = 0.1
"""Seconds for a thread that has nothing to do any more to end."""

_log = logging.getLogger("actorq")


class Arguments(argparse.Namespace):
    """What the command line said, besides settings."""

    app: str
    url: str | None
    store: str | None
    queue: list[str]
    concurrency: int
    processes: int
    on_leash: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` its own flags, and every setting as one."""
    parser.add_argument("app", metavar="MODULE:APP", help="where the app stands")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", help="take jobs from the server at this URL")
    where.add_argument("--store", metavar="URL", help="take jobs from the store at this URL")
    parser.add_argument(
        "--queue",
        action="append",
        default=[],
        metavar="NAME[=WEIGHT]",
        help="take jobs from this queue; may be repeated; default: those of the app's tasks",
    )
    parser.add_argument(
        "--concurrency", type=int, default=20, metavar="N", help="jobs at a time [20]"
    )
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="processes [1]")
    # For the processes that --processes starts: they end with the one that started them.
    parser.add_argument("--on-leash", action="store_true", help=argparse.SUPPRESS)
    add_flags(parser)
    parser.set_defaults(run=command)


def command(arguments: argparse.Namespace) -> int:
    """Work until a signal comes; raises ``ConfigurationError`` for what cannot be run."""
    given = Arguments(**vars(arguments))
    settings = load(flags_of(arguments))
    logs.configure(settings.log_level, settings.log_format, color=wants_color())
    options: WorkerOptions = {
        "concurrency": given.concurrency,
        "grace": settings.grace * (1 - RUNTIME_SHARE),
    }
    if given.queue:
        options["queues"] = dict(_weighted(text) for text in given.queue)
    app = load_app(given.app)
    if given.processes < 1:
        raise ConfigurationError("--processes: must be at least 1")
    if given.processes > 1:
        if given.url is None and _place(given, settings).url == "memory://":
            raise ConfigurationError("--processes: several cannot share a memory store")
        return fleet.run(_arguments(given, flags_of(arguments)), given.processes, settings)
    program = _Program(app, given, settings, options)
    backend = settings.event_loop
    if backend == "trio" and importlib.util.find_spec("trio") is None:
        raise ConfigurationError("EVENT_LOOP: trio is not installed: pip install trio")
    try:
        anyio.run(program.run, backend=backend)
    except Exception as error:  # noqa: BLE001 - the end of the line: whatever it is, it is logged
        return explain(error, "worker", ready=program.ready)
    _leave_threads_behind(program.exit_code)
    return program.exit_code


def _leave_threads_behind(code: int) -> None:
    """End the process here and now if functions still run which nothing can interrupt.

    The interpreter would wait for their threads. Their jobs were handed back already.
    """
    main = threading.main_thread()
    left = [each for each in threading.enumerate() if each is not main and not each.daemon]
    for thread in left:
        thread.join(_JOIN_S)
    if any(thread.is_alive() for thread in left):
        _log.warning("handlers that had not ended were left behind")
        logging.shutdown()
        sys.stdout.flush()
        os._exit(code)


def _arguments(given: Arguments, flags: dict[str, str]) -> list[str]:
    """Return the command line of one process of several."""
    line = ["worker", given.app, "--on-leash", "--concurrency", str(given.concurrency)]
    for flag, value in (("--url", given.url), ("--store", given.store)):
        line += [] if value is None else [flag, value]
    for queue in given.queue:
        line += ["--queue", queue]
    for name, value in flags.items():
        line += [f"--{name.replace('_', '-')}", value]
    return line


def load_app(name: str) -> App:
    """Import ``module:attribute`` and return the app there; raises ``ConfigurationError``."""
    module_name, _, path = name.partition(":")
    if not module_name or not path:
        raise ConfigurationError(f"{name!a} must be MODULE:APP, such as shop.tasks:app")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not module_name.startswith(error.name):
            raise
        raise ConfigurationError(f"there is no module {module_name!a} here") from None
    for part in path.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, App):
        raise ConfigurationError(f"{module_name} has no actorq.App named {path!a}")
    return found


class _Program:
    """One worker process, from its opening to its end."""

    def __init__(
        self, app: App, given: Arguments, settings: Settings, options: WorkerOptions
    ) -> None:
        self._app = app
        self._given = given
        self._settings = settings
        self._options = options
        self._worker: Worker | None = None
        self.ready = False
        self.exit_code = 0

    async def run(self) -> None:
        """Work until told to stop."""
        stopping = Stopping(self._settings.grace)
        self._opening = anyio.CancelScope()
        async with anyio.create_task_group() as tasks:
            if self._given.on_leash:
                await tasks.start(hold_leash, stopping)
            else:
                await tasks.start(stopping.watch)
            tasks.start_soon(self._leave, stopping)
            tasks.start_soon(self._hurry, stopping)
            with self._opening:
                await self._work(stopping)
            stopping.has_ended()
            tasks.cancel_scope.cancel()
        self.exit_code = stopping.exit_code

    async def _work(self, stopping: Stopping) -> None:
        async with AsyncExitStack() as stack:
            where = self._given.url or await self._opened(stack)
            worker = await stack.enter_async_context(self._app.worker(where, **self._options))
            self._worker = worker
            self._announce(worker)
            try:
                await stopping.asked()
            finally:
                stopping.crashing()

    async def _leave(self, stopping: Stopping) -> None:
        """Wait for the store no more, when the stop comes before it was there."""
        await stopping.asked()
        if self._worker is None:
            self._opening.cancel()

    async def _hurry(self, stopping: Stopping) -> None:
        """Cancel the handlers at a second signal; their jobs are handed back all the same."""
        with stopping.door:
            await anyio.sleep_forever()
        if self._worker is not None:
            self._worker.hurry()

    async def _opened(self, stack: AsyncExitStack) -> JobQueue:
        """Open the store; wait for one that is away, for as long as the settings say."""
        settings = self._settings
        options = Options(
            policy=settings.policy(),
            pool_size=settings.pool_size,
            grace=settings.grace * RUNTIME_SHARE,
        )
        place = _place(self._given, settings)
        end = anyio.current_time() + settings.store_patience
        told = ""
        while True:
            try:
                return await stack.enter_async_context(open_queue(place, options=options))
            except BackendUnavailable as error:
                if anyio.current_time() + AGAIN_S > end:
                    raise
                if str(error) != told:
                    told = str(error)
                    _log.warning("waiting for the store: %s", told)
            await anyio.sleep(AGAIN_S)

    def _announce(self, worker: Worker) -> None:
        """Print the one line of a worker that is ready."""
        self.ready = True
        queues = ", ".join(worker.queues)
        # A launcher that has closed our stdout is no reason to stop.
        with suppress(OSError):
            print(f"actorq {__version__} works as {worker.worker_id} on {queues}", flush=True)


def _place(given: Arguments, settings: Settings) -> Place:
    place = settings.place()
    return place if given.store is None else replace(place, url=given.store)


def _weighted(text: str) -> tuple[str, float]:
    """Read ``NAME`` or ``NAME=WEIGHT``."""
    name, _, weight = text.partition("=")
    try:
        return name, float(weight or 1)
    except ValueError:
        raise ConfigurationError(f"--queue: {weight!a} is no weight, as in mail=3") from None
