"""The register of histories that break one promise each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tests.testing.invariants.scribe import Scribe

if TYPE_CHECKING:
    from collections.abc import Callable


class Broken(NamedTuple):
    """A history with one violation in it, and of what."""

    invariant: str
    write: Callable[[Scribe], None]
    terms: dict[str, object]

    def history(self) -> Scribe:
        """Write it."""
        scribe = Scribe(**self.terms)
        self.write(scribe)
        return scribe


BROKEN: Final[dict[str, Broken]] = {}
"""By the name of the function that writes it."""


def breaks(
    invariant: str, **terms: object
) -> Callable[[Callable[[Scribe], None]], Callable[[Scribe], None]]:
    """Register a function that writes a history in which ``invariant`` is broken, once."""

    def register(write: Callable[[Scribe], None]) -> Callable[[Scribe], None]:
        name = f"{invariant}_{write.__name__}"
        assert name not in BROKEN
        BROKEN[name] = Broken(invariant, write, terms)
        return write

    return register
