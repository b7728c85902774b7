"""A ghost: asks for jobs and is gone before the answer, or as it comes, again and again.

What it is given it never works on: that is to go back, at once or with its lease.
``python -m benchmarks.chaos.ghost ORDER``
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Final

import msgspec

from actorq.testing.invariants.events import Claim, Unknown
from benchmarks.chaos.crew import main
from benchmarks.chaos.plan import QUEUES

if TYPE_CHECKING:
    from benchmarks.chaos.crew import Crew

_WAIT_S: Final = 5.0
_LONGEST_STAY_S: Final = 0.8
_RESET: Final = struct.pack("ii", 1, 0)
"""To close a connection by RST instead of FIN."""


def haunt(crew: Crew) -> None:
    """Come and vanish, at the rate that was ordered."""
    draw = crew.draw("haunting")
    while not crew.stopping.wait(draw.uniform(0.0, 2.0 / crew.order.rate)):
        _appear(crew, draw.choice(crew.order.ports), draw.choice(QUEUES), draw.randint(1, 3))


def _appear(crew: Crew, port: int, queue: str, slots: int) -> None:
    """Send one request, and close the connection after a moment."""
    order, notes, call = crew.order, crew.notes, crew.notes.call()
    wish = {"worker_id": order.name, "visibility_timeout": order.lease, "wait": _WAIT_S}
    data = msgspec.json.encode({**wish, "max": slots})
    head = (
        f"POST /queues/{queue}/dequeue HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    notes.note(
        lambda at, actor: Claim(
            at=at,
            actor=actor,
            call=call,
            queue=queue,
            slots=slots,
            wait=_WAIT_S,
            visibility=order.lease,
        )
    )
    draw = crew.draw(call)
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
            connection.sendall(head.encode() + data)
            crew.stopping.wait(draw.uniform(0.0, _LONGEST_STAY_S))
            if draw.random() < 0.5:  # noqa: PLR2004 - a coin
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    except OSError:
        # Nobody is there: it comes again.
        pass
    notes.note(lambda at, actor: Unknown(at=at, actor=actor, call=call))


if __name__ == "__main__":
    main(haunt)
