"""The call on schedules: what a program's code says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from actorq.core.instants import format_instant
from actorq.core.job import NewJob
from actorq.sdk.client import writing
from actorq.sdk.client.base import JSON, BaseCalls
from actorq.sdk.client.exchange import Request

if TYPE_CHECKING:
    from actorq.core.schedule import NewSchedule
    from actorq.sdk.client.exchange import Conversation


class ScheduleCalls(BaseCalls):
    """What a program says of its schedules."""

    def declare_schedule(self, new: NewSchedule) -> Conversation[None]:
        """Say what the program's code holds of a schedule; it is taken over when the code has changed."""
        request = Request(
            method="PUT",
            path=f"/schedules/{new.name}",
            body=declaration(new),
            headers=JSON,
            expect=frozenset({200, 201}),
        )
        yield from self.ask(request)


def declaration(new: NewSchedule) -> bytes:
    """Return the body that declares a schedule."""
    timing = {name: value for name, value in msgspec.structs.asdict(new.timing).items() if value}
    for name in ("starts_at", "ends_at"):
        if isinstance(at := timing.get(name), int):
            timing[name] = format_instant(at)
    return writing.encode(
        {
            **timing,
            "job": msgspec.Raw(writing.job_body(NewJob(**msgspec.structs.asdict(new.job)), None)),
            "catch_up": new.catch_up,
            "catch_up_window": new.catch_up_window,
            "paused": new.paused,
            "declared": True,
        }
    )
