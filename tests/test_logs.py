"""Logs: one event is one line, whatever is in it (row F14 of the fault catalogue)."""

from __future__ import annotations

import io
import json
import logging
import sys
import warnings
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actorq import logs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    ExcInfo = (
        tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    )

EVIL = 'a\r\n{"event":"forged"}\x1b[2J\x00\x7f\x9b\u2028\u202e\ud800 "q" \\'


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say yes."""
        return True


@pytest.fixture(autouse=True)
def _root_logger_restored() -> Iterator[None]:
    """Give the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def record(message: str, *arguments: object, exc_info: ExcInfo | None = None) -> logging.LogRecord:
    """Make an event of the logger ``actorq`` at warning level."""
    return logging.LogRecord("actorq", logging.WARNING, "f.py", 1, message, arguments, exc_info)


def failure(message: str) -> ExcInfo:
    """Return what is known of an error that was raised just now."""
    try:
        raise RuntimeError(message)  # noqa: TRY301 - to be caught here is all that it is for
    except RuntimeError:
        return sys.exc_info()


def test_json_has_time_level_event_and_fields() -> None:
    """An event is one JSON object; its time is RFC 3339 in UTC with microseconds."""
    event = record("took %d jobs", 3)
    event.created = 1_700_000_000.123456
    event.__dict__.update(queue="mail", count=3, ratio=0.5, last=None, ok=True)
    assert json.loads(logs.JsonFormatter().format(event)) == {
        "ts": "2023-11-14T22:13:20.123456Z",
        "level": "warning",
        "logger": "actorq",
        "event": "took 3 jobs",
        "queue": "mail",
        "count": 3,
        "ratio": 0.5,
        "last": None,
        "ok": True,
    }


def test_a_field_cannot_replace_what_is_ours() -> None:
    """A caller's field named like one of ours stands beside it."""
    event = record("real")
    event.__dict__.update(level="fake", event="forged")
    line = json.loads(logs.JsonFormatter().format(event))
    assert (line["level"], line["event"]) == ("warning", "real")
    assert (line["level_"], line["event_"]) == ("fake", "forged")


@given(st.text())
def test_any_text_is_one_printable_line(text: str) -> None:
    """No character of a message or field starts a line or reaches a terminal as a command (F14)."""
    event = record("%s", text)
    event.__dict__.update(field=text)
    as_json = logs.JsonFormatter().format(event)
    assert as_json.isascii()
    assert as_json.isprintable()
    assert json.loads(as_json)["field"] == text
    assert logs.TextFormatter(color=False).format(event).isprintable()


def test_an_evil_message_forges_nothing() -> None:
    """Line breaks, escape sequences and odd Unicode in every place stay inside their line (F14)."""
    event = record(EVIL)
    event.__dict__.update({"queue": EVIL, "na\nme": [EVIL]})
    for formatter in (logs.JsonFormatter(), logs.TextFormatter(color=False)):
        assert formatter.format(event).isprintable()
    assert json.loads(logs.JsonFormatter().format(event))["queue"] == EVIL


def test_a_traceback_is_one_field_in_json() -> None:
    """The whole traceback is one string, so the event stays one line."""
    line = logs.JsonFormatter().format(record("boom", exc_info=failure(EVIL)))
    assert line.isprintable()
    trace = json.loads(line)["exception"]
    assert trace.startswith("Traceback (most recent call last):\n")
    assert "RuntimeError: a" in trace


def test_a_traceback_in_text_cannot_pass_for_an_event() -> None:
    """Below its event, every line of a traceback is indented behind a bar and printable."""
    text = logs.TextFormatter(color=False).format(record("boom", exc_info=failure(EVIL)))
    first, *rest = text.split("\n")
    assert first.endswith("warning  boom")
    assert len(rest) > 3
    assert all(line.startswith("    | ") and line.isprintable() for line in rest)


def test_text_quotes_what_would_be_ambiguous() -> None:
    """A value with spaces, quotes or ``=`` is quoted; others stand bare."""
    event = record("x")
    event.__dict__.update(a="b c", d='e"f', g="h=i", j="", k="plain", n=1.5, o=False)
    line = logs.TextFormatter(color=False).format(event)
    assert line.endswith(r'x a="b c" d="e\"f" g="h=i" j="" k=plain n=1.5 o=false')


def test_numbers_that_json_lacks_are_text() -> None:
    """An infinite or undefined number does not break the JSON."""
    event = record("x")
    event.__dict__.update(a=float("inf"), b=float("nan"))
    line = json.loads(logs.JsonFormatter().format(event), parse_constant=pytest.fail)
    assert (line["a"], line["b"]) == ("inf", "nan")


def test_a_field_is_bounded_and_keeps_both_ends() -> None:
    """A huge value cannot fill the disk by one event; the end of a traceback is kept (I18)."""
    line = json.loads(logs.JsonFormatter().format(record("<%s>", "x" * 1_000_000)))
    assert len(line["event"]) < logs.LONGEST + 100
    assert line["event"].startswith("<x")
    assert line["event"].endswith("x>")


def test_arguments_that_do_not_fit_are_still_an_event() -> None:
    """A slip in a log call loses neither the event nor the rule of one line."""
    line = json.loads(logs.JsonFormatter().format(record("%d jobs", "many")))
    assert line["event"] == "%d jobs ('many',)"


def test_auto_is_json_in_a_pipe_and_text_on_a_terminal() -> None:
    """The format follows the stream, and colours stay on terminals that want them."""
    log = logging.getLogger("actorq.test")
    pipe, terminal, plain = io.StringIO(), Terminal(), Terminal()
    logs.configure("info", "auto", color=True, stream=pipe)
    log.info("one")
    logs.configure("info", "auto", color=True, stream=terminal)
    log.info("two")
    logs.configure("info", "auto", color=False, stream=plain)
    log.info("three")
    assert json.loads(pipe.getvalue())["event"] == "one"
    assert "\x1b[32minfo    \x1b[0m two" in terminal.getvalue()
    assert plain.getvalue().endswith("info     three\n")


def test_a_forced_format_holds_on_every_stream() -> None:
    """``text`` in a pipe has no colours, and ``json`` on a terminal is JSON."""
    log = logging.getLogger("actorq.test")
    pipe, terminal = io.StringIO(), Terminal()
    logs.configure("info", "text", color=True, stream=pipe)
    log.info("one")
    logs.configure("info", "json", color=True, stream=terminal)
    log.info("two")
    assert pipe.getvalue().endswith("info     one\n")
    assert "\x1b" not in pipe.getvalue()
    assert json.loads(terminal.getvalue())["event"] == "two"


def test_the_level_holds_for_libraries_and_warnings_too() -> None:
    """Events under the level are dropped; a library's event and a warning take the same form."""
    stream = io.StringIO()
    logs.configure("warning", "json", color=False, stream=stream)
    logging.getLogger("actorq").info("dropped")
    logging.getLogger("some.library").error("kept")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old\nhat", stacklevel=1)
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [event["logger"] for event in events] == ["some.library", "py.warnings"]
