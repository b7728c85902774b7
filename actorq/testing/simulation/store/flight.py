"""A call in flight: it has left its node, and the store has not got it yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable


class Flight(msgspec.Struct, eq=False):
    """Whose call it is, of which verb; ``land`` is its effect."""

    node: str
    verb: str
    land: Callable[[], object]
