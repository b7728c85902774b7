"""Settings from sources of the test's, and the message of those that are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actorq.errors import ConfigurationError
from actorq.settings import load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def refusal(flags: Mapping[str, str], environment: Mapping[str, str]) -> str:
    """Return the message with which these sources are refused."""
    with pytest.raises(ConfigurationError) as caught:
        load(flags, environment)
    return str(caught.value)


def toml(folder: Path, text: str) -> dict[str, str]:
    """Write a configuration file and return the environment that names it."""
    path = folder / "x.toml"
    path.write_text(text, encoding="utf-8")
    return {"ACTORQ_CONFIG": str(path)}
