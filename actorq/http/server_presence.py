"""Whether a client is still there, asked of its socket: the loop hears of it some turns later."""

from __future__ import annotations

import socket


def is_connected(client: socket.socket) -> bool:
    """Tell whether the other end is open, as far as the network knows; takes nothing from the stream."""
    try:
        return client.recv(1, socket.MSG_PEEK) != b""
    except (BlockingIOError, InterruptedError):
        return True
    except OSError:
        # Reset, or closed on our side.
        return False
