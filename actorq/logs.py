"""Logs: the standard library's logging, one event one line on stderr.

JSON for machines: ``ts`` (RFC 3339, microseconds, UTC), ``level``, ``logger``, ``event``, the
event's own fields, and ``exception`` with the whole traceback as one string. Text for people on a
terminal: the same in one line; only a traceback follows on lines of its own, each indented behind
a bar, so that none can pass for an event. Nothing that a client sent can start a line, move the
cursor or colour the screen: control characters are escaped in both.
"""

from __future__ import annotations

import json
import logging
import math
import sys
from typing import TYPE_CHECKING, Final, Literal

from actorq.core.instants import SECOND_US, format_instant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

LogFormat = Literal["auto", "text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]

LONGEST: Final = 32_768
"""Characters that one field may take; the middle of a longer one is left out."""

_STANDARD: Final = frozenset(
    {*logging.makeLogRecord({}).__dict__, "message", "asctime", "color_message"}
)
_RESERVED: Final = frozenset({"ts", "level", "logger", "event", "exception"})
_COLORS: Final = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "31;1"}

Plain = str | int | float | bool | None
"""What a field may hold, so that it has a form in JSON."""


def configure(
    level: LogLevel, form: LogFormat, *, color: bool, stream: TextIO | None = None
) -> None:
    """Log everything of ``level`` and above to ``stream`` (stderr), and nowhere else.

    ``auto`` is text if the stream is a terminal. ``color`` is a permission: only text on a
    terminal is coloured. May be called again; the last call holds.
    """
    out = sys.stderr if stream is None else stream
    terminal = out.isatty()
    text = form == "text" or (form == "auto" and terminal)
    handler = logging.StreamHandler(out)
    handler.setFormatter(TextFormatter(color=color and terminal) if text else JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)


class JsonFormatter(logging.Formatter):
    """One event as one JSON object on one line of ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the event; a field that bears one of our own names gets a ``_`` behind it."""
        event: dict[str, Plain] = {
            "ts": _instant(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": _shortened(_message(record)),
        }
        for name, value in _fields(record):
            event[name + "_" if name in _RESERVED else name] = value
        trace = _traceback(self, record)
        if trace:
            event["exception"] = trace
        # ASCII only: no control character and no line separator of Unicode passes unescaped.
        return json.dumps(event, separators=(",", ":"))


class TextFormatter(logging.Formatter):
    """One event as one line to read: time, level, event, fields; a traceback below it."""

    def __init__(self, *, color: bool) -> None:
        """Colour the level if ``color``."""
        super().__init__()
        self._color = color

    def format(self, record: logging.LogRecord) -> str:
        """Write the event."""
        level = record.levelname.lower()
        shown = f"{level:<8}"
        if self._color:
            shown = f"\x1b[{_COLORS.get(level, '0')}m{shown}\x1b[0m"
        line = f"{_instant(record)} {shown} {printable(_shortened(_message(record)))}"
        for name, value in _fields(record):
            line += f" {printable(name)}={_quoted(value)}"
        trace = _traceback(self, record)
        return "\n".join([line, *(f"    | {printable(row)}" for row in trace.split("\n") if row)])


def printable(text: str) -> str:
    r"""Return ``text`` with what is not printable written as in Python: ``\n``, ``\x1b``."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


def _instant(record: logging.LogRecord) -> str:
    return format_instant(round(record.created * SECOND_US))


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        # An event whose arguments do not fit its text is still an event.
        return f"{record.msg} {record.args}"


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, Plain]]:
    """Give what the caller passed as ``extra``."""
    held: dict[str, object] = record.__dict__
    for name, value in held.items():
        if name not in _STANDARD:
            yield name, _plain(value)


def _plain(value: object) -> Plain:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return _shortened(str(value))


def _shortened(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    # Both ends are kept: a traceback begins with its place and ends with the error.
    half = LONGEST // 2
    return f"{text[:half]} … {len(text) - 2 * half} characters … {text[-half:]}"


def _quoted(value: Plain) -> str:
    text = json.dumps(value) if isinstance(value, bool) or value is None else str(value)
    if text and not any(sign in ' "=' for sign in text):
        return printable(text)
    return printable('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"')


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    parts: list[str] = []
    if record.exc_info:
        parts.append(formatter.formatException(record.exc_info))
    if record.stack_info:
        parts.append(formatter.formatStack(record.stack_info))
    return _shortened("\n".join(parts))
