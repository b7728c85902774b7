"""What all tests share: both event loops by one parameter, and Hypothesis without a clock of its own."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

# A machine under load must not turn a slow example into a failure: nothing here is timed. CI draws
# the same examples on every run, so that a red build is about the change and not about luck.
settings.register_profile(
    "actorq",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("actorq")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> object:
    """Run every asynchronous test on both event loops."""
    return request.param
