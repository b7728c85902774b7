"""Writes the page that is made from the table of transitions: ``python docs/diagrams.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from actorq.core.transitions import ENDED, TRANSITIONS, Event, Status

PAGE: Final = Path(__file__).parent / "reference" / "states.md"

_HEAD: Final = """\
# States

Made by `docs/diagrams.py` from the one table in `actorq/core/transitions.py`: the code that decides, the
tests and this page read the same. A pair of status and event that is not in it is refused, and changes
nothing.
"""

_MEANING: Final = {
    Event.PROMOTE: "its due time has come",
    Event.RESCHEDULE: "an edit moved its due time into the future",
    Event.EDIT: "an edit that leaves it where it is",
    Event.CLAIM: "a worker takes it, with a lease",
    Event.ACK: "its holder did it",
    Event.RETRY: "its holder failed, and a retry is left",
    Event.BURY: "a failure or a lost lease that was the last one",
    Event.RELEASE: "its holder hands it back",
    Event.POSTPONE: "its holder hands it back for later",
    Event.EXPIRE: "its holder fell silent",
    Event.EXTEND: "its holder asks for more time, or reports progress",
    Event.REQUEST_CANCEL: "somebody asks its holder to stop",
    Event.ABORT: "its holder stopped, as it was asked to",
    Event.CANCEL: "somebody cancels it before it runs",
    Event.LAPSE: "it was not started before its `expires_at`",
    Event.REDRIVE: "somebody gives a dead job another life",
}


def diagram() -> str:
    """Return the table as a Mermaid state diagram; events between the same two statuses share an arrow."""
    arrows: dict[tuple[Status, Status], list[str]] = {}
    for (status, event), after in TRANSITIONS.items():
        arrows.setdefault((status, after), []).append(event.value)
    lines = [
        "stateDiagram-v2",
        "    [*] --> pending: enqueue",
        "    [*] --> delayed: enqueue, due later",
    ]
    lines += [f"    {a} --> {b}: {', '.join(events)}" for (a, b), events in arrows.items()]
    lines += [f"    {status} --> [*]: pruned" for status in Status if status in ENDED]
    return "\n".join(lines)


def table() -> str:
    """Return every pair of status and event, with where it leads."""
    rows = ["| event | " + " | ".join(Status) + " | meaning |", "|---" * (len(Status) + 2) + "|"]
    for event in Event:
        cells = (TRANSITIONS.get((status, event), "-") for status in Status)
        rows.append(f"| `{event}` | " + " | ".join(cells) + f" | {_MEANING[event]} |")
    return "\n".join(rows)


def page() -> str:
    """Return the whole page."""
    return f"""\
{_HEAD}
```mermaid
{diagram()}
```

## Every pair

Columns are the status before, cells the status after; `-` is a refusal.

{table()}
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
