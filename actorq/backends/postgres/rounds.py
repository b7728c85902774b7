"""Rounds of the reaper: from where on it has to look, so that it does not scan the dead."""

from __future__ import annotations

from time import monotonic
from typing import Final

from actorq.core.instants import SECOND_US

MARGIN_US: Final = 60 * SECOND_US
"""How far back a round looks at least. A lease ends after the claim that gave it, and no claim takes
nearly that long to be committed."""

WHOLE_S: Final = 60.0
"""Seconds between two rounds that look at everything, whatever may have gone wrong."""


class Rounds:
    """What the reaper's rounds of this process have been through already."""

    def __init__(self) -> None:
        """Start with a look at everything."""
        self._since = 0
        self._whole_at = 0.0

    def since(self) -> int:
        """Return the instant from which on the next round has to look."""
        if monotonic() >= self._whole_at:
            self._since = 0
        return self._since

    def done(self, now: int, *, complete: bool) -> None:
        """Take note of a round at the instant ``now``, that went to the end of what had run out or not."""
        if not complete:
            return
        if self._since == 0:
            self._whole_at = monotonic() + WHOLE_S
        self._since = max(0, now - MARGIN_US)
