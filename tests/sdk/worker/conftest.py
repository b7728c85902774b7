"""The worker's tests run in virtual time: both loops jump to the next timer when idle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from trio.testing import MockClock

from tests.system.jumping import JumpingLoop

if TYPE_CHECKING:
    from collections.abc import Mapping

Backend = tuple[str, "Mapping[str, Any]"]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Backend:
    """Run every test on both loops, each with a clock that jumps."""
    if request.param == "asyncio":
        return "asyncio", {"loop_factory": JumpingLoop}
    return "trio", {"clock": MockClock(autojump_threshold=0)}
