"""A canary: what the server shell uses of its engines' insides, so that a new version fails here first.

Hypercorn's protocol classes and uvicorn's connection are not public interfaces. When one of these tests
fails after an update, read the engine's changes and ``actorq/http/server_*.py`` side by side.
"""

from __future__ import annotations

import inspect
from importlib.metadata import version

import h11
import pytest
from hypercorn.config import Config as HypercornConfig
from hypercorn.events import Closed, RawData, Updated
from hypercorn.protocol.events import Body, EndBody, Request, Response
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol
from hypercorn.protocol.http_stream import HTTPStream
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import Server, ServerState

from actorq.http.server_protocol import Protocol
from actorq.http.server_uvicorn_connection import BoundedProtocol


def parameters(owner: type, name: str) -> str:
    """Return the names of what a class, or a method of it, takes, but ``self``."""
    used: object = getattr(owner, name) if name else owner
    assert callable(used)
    return " ".join(each for each in inspect.signature(used).parameters if each != "self")


def source(owner: type, name: str) -> str:
    """Return the text of a method."""
    return inspect.getsource(getattr(owner, name))


def test_hypercorn_is_of_the_version_that_was_read() -> None:
    """The shell was written against the engine of 0.18; pyproject.toml pins it."""
    assert version("hypercorn").split(".")[:2] == ["0", "18"]


HYPERCORN: list[tuple[type, str, str]] = [
    (
        H11Protocol,
        "",
        "app config context task_group connection_state ssl client server send",
    ),
    (H11Protocol, "handle", "event"),
    (H11Protocol, "stream_send", "event"),
    (H11Protocol, "_create_stream", "request"),
    (H11Protocol, "_handle_events", ""),
    (H11Protocol, "_send_h11_event", "event"),
    (H11Protocol, "_send_error_response", "status_code"),
    (H11Protocol, "_maybe_recycle", ""),
    (HTTPStream, "", "app config context task_group ssl client server send stream_id"),
    (HTTPStream, "handle", "event"),
    (HTTPStream, "app_send", "message"),
    (RawData, "", "data address"),
    (Updated, "", "idle"),
    (Closed, "", ""),
    (Request, "", "stream_id headers http_version method raw_path state"),
    (Response, "", "stream_id headers status_code"),
    (Body, "", "stream_id data"),
    (EndBody, "", "stream_id"),
    (HypercornConfig, "response_headers", "protocol"),
]


@pytest.mark.parametrize(("owner", "name", "takes"), HYPERCORN)
def test_hypercorn_takes_what_it_is_given(owner: type, name: str, takes: str) -> None:
    """Each class and method that the connection calls or replaces has the parameters it counts on."""
    assert parameters(owner, name) == takes


def test_hypercorn_calls_what_is_replaced() -> None:
    """What our protocol replaces is still there to be replaced, and called by what is not."""
    replaced = {name for name, one in vars(Protocol).items() if inspect.isfunction(one)}
    new = {"invite", "resume", "_is_last", "_pass_on"}
    assert all(hasattr(H11Protocol, name) for name in replaced - new)
    assert not any(hasattr(H11Protocol, name) for name in new)
    assert "self._handle_events()" in source(H11Protocol, "handle")
    assert "self.task_group.spawn_app(" in source(HTTPStream, "handle")
    # The word by which a connection learns that it may go on.
    assert "Updated(idle=True)" in source(H11Protocol, "_maybe_recycle")
    assert STREAM_ID == 1
    assert hasattr(h11.Connection, "they_are_waiting_for_100_continue")


UVICORN: list[tuple[type, str, str]] = [
    (HttpToolsProtocol, "", "config server_state app_state _loop"),
    (HttpToolsProtocol, "connection_made", "transport"),
    (HttpToolsProtocol, "connection_lost", "exc"),
    (HttpToolsProtocol, "data_received", "data"),
    (HttpToolsProtocol, "on_message_begin", ""),
    (HttpToolsProtocol, "on_headers_complete", ""),
    (HttpToolsProtocol, "on_message_complete", ""),
    (HttpToolsProtocol, "shutdown", ""),
    (Server, "startup", "sockets"),
    (Server, "main_loop", ""),
    (Server, "shutdown", "sockets"),
    (Server, "on_tick", "counter"),
    (Server, "capture_signals", ""),
    (FlowControl, "resume_reading", ""),
]


@pytest.mark.parametrize(("owner", "name", "takes"), UVICORN)
def test_uvicorn_takes_what_it_is_given(owner: type, name: str, takes: str) -> None:
    """Each class and method that the connection calls or replaces has the parameters it counts on."""
    assert parameters(owner, name) == takes


def test_uvicorn_keeps_what_is_looked_at() -> None:
    """The attributes of a connection and of a request under way that the shell reads and sets."""
    made = source(HttpToolsProtocol, "__init__")
    for name in ("parser", "pipeline", "cycle", "flow", "timeout_keep_alive", "transport"):
        assert f"self.{name}" in made
    cycle = source(RequestResponseCycle, "__init__")
    for name in ("disconnected", "keep_alive", "message_event", "more_body", "response_complete"):
        assert f"self.{name}" in cycle
    assert {"connections", "tasks"} <= vars(ServerState()).keys()


def test_uvicorn_calls_what_is_replaced() -> None:
    """What our connection replaces is still there to be replaced."""
    replaced = {name for name, one in vars(BoundedProtocol).items() if inspect.isfunction(one)}
    ours = {name for name in replaced if name.startswith("_") and name != "__init__"}
    assert all(hasattr(HttpToolsProtocol, name) for name in replaced - ours)
    assert not any(hasattr(HttpToolsProtocol, name) for name in ours)
    assert "self.message_event" in source(RequestResponseCycle, "receive")
