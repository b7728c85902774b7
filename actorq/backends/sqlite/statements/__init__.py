"""The SQL of the store, one file per noun; each statement has a name in its file."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

_NAME: Final = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def statement(file: str, name: str) -> str:
    """Return the statement ``name`` of ``file``."""
    return _statements(file)[name]


@cache
def _statements(file: str) -> dict[str, str]:
    text = files(__package__ or __name__).joinpath(f"{file}.sql").read_text(encoding="utf-8")
    _, *parts = _NAME.split(text)
    return {name: sql.strip() for name, sql in zip(parts[::2], parts[1::2], strict=True)}
