"""What a handler may raise to say how its job goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from actorq.core.instants import from_datetime
from actorq.sdk.durations import seconds

if TYPE_CHECKING:
    from actorq.sdk.durations import Duration


class Verdict(Exception):
    """The root of the three; a handler raises one of them."""


class Retry(Verdict):
    """Try the job again: it failed, and spends one of its retries.

    ``after`` stands in for the job's backoff. An at-most-once job is dead after it.
    """

    def __init__(self, reason: str = "", *, after: Duration | None = None) -> None:
        """Say why, and when; raises ``InvalidInput`` for a duration that is none."""
        super().__init__(reason or "the handler asked for a retry")
        self.after = None if after is None else seconds(after, "/after")


class Reject(Verdict):
    """Never try the job again: it goes to the dead letter queue, whatever retries it had left."""

    def __init__(self, reason: str = "") -> None:
        """Say why."""
        super().__init__(reason or "the handler rejected the job")


class Snooze(Verdict):
    """Come back later: nothing failed, no retry is spent, the attempt is handed back.

    It counts as one of the ``interruptions`` that a job may have (100 by default). An at-most-once job
    has been started and cannot be handed back: it is dead after it.
    """

    def __init__(self, *, after: Duration | None = None, until: datetime | None = None) -> None:
        """Say after how long, or until when (with its time zone); one of the two.

        The wait until a moment is measured by this machine's clock, from now on.
        """
        super().__init__("the handler put the job off")
        if (after is None) == (until is None):
            raise ValueError("say either how long to wait (after) or until when (until)")
        if until is not None:
            from_datetime(until)
            after = max(timedelta(), until - datetime.now(UTC))
        assert after is not None
        self.delay = seconds(after, "/after")
