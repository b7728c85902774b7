"""The scripts: read once, known to the server by their digest."""

from __future__ import annotations

from hashlib import sha1
from importlib.resources import files
from typing import Final


class Script:
    """One script: its text, and the digest by which a server that has it runs it."""

    __slots__ = ("digest", "name", "text")

    def __init__(self, name: str, text: str) -> None:
        """Take the text over."""
        self.name = name
        self.text = text.encode()
        # The server's own name for it, not a matter of security.
        self.digest = sha1(self.text, usedforsecurity=False).hexdigest().encode()


_loaded: Final[list[Script]] = []


def _load(name: str) -> Script:
    folder = files("actorq.backends.redis") / "scripts"
    common = (folder / "common.lua").read_text("utf-8")
    script = Script(name, f"{common}\n{(folder / f'{name}.lua').read_text('utf-8')}")
    _loaded.append(script)
    return script


READ: Final = _load("read")
LOOK: Final = _load("look")
ENQUEUE: Final = _load("enqueue")
ACK: Final = _load("ack")
DEQUEUE: Final = _load("dequeue")
WRITE: Final = _load("write")
FIND: Final = _load("find")
DUE: Final = _load("due")
PRUNE: Final = _load("prune")
FORGET: Final = _load("forget")
MEMBERS: Final = _load("members")
FIGURES: Final = _load("figures")
TICKS: Final = _load("ticks")
CHECK: Final = _load("check")

ALL: Final = tuple(_loaded)
"""Every script, to be given to a server at the start."""
