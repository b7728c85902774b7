"""Cases: failures that were found once, each as the choices that lead to it, in a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from actorq.testing.simulation.choices import Choice
from actorq.testing.simulation.profiles import PROFILES
from actorq.testing.simulation.running import Report, simulate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from actorq.testing.simulation.director import Parts


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """The choices of a run that are not the harmless ones, and what it broke."""

    profile: str
    seed: int | None
    """With which it was found; what it was shrunk to has its own choices."""
    violation: str
    choices: tuple[Choice, ...]

    def run(self, parts: Parts | None = None) -> Report:
        """Make the choices again."""
        return simulate(PROFILES[self.profile], record=self.choices, parts=parts)

    def save(self, folder: Path) -> Path:
        """Write the case into ``folder``, under the name of its profile and seed."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.profile}-{self.seed}.json"
        head = msgspec.json.encode(replace(self, choices=())).removesuffix(b"[]}")
        lines = b",\n".join(b"  " + msgspec.json.encode(choice) for choice in self.choices)
        path.write_bytes(head + b"[\n" + lines + b"\n]}\n")
        return path


def load(path: str | Path) -> Case:
    """Read a case; raises ``msgspec.DecodeError`` for a file that holds none."""
    return msgspec.json.decode(Path(path).read_bytes(), type=Case)


def case_of(report: Report) -> Case:
    """Return the case that a failed run makes."""
    return Case(
        profile=report.profile,
        seed=report.seed,
        violation=str(report.violations[0]),
        choices=tuple(harmful(report.record)),
    )


def harmful(record: Iterable[Choice]) -> list[Choice]:
    """Return the choices of a record that a replay would not make by itself."""
    return [choice for choice in record if choice.value]
