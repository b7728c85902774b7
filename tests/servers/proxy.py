"""A TCP proxy that loses replies, freezes and cuts: what a network may do to a connection."""

from __future__ import annotations

import selectors
import socket
from contextlib import suppress
from threading import Lock, Thread
from typing import Final, NamedTuple

_CHUNK: Final = 65_536


class _Pair(NamedTuple):
    """One connection: the client's end, and the one to the server."""

    client: socket.socket
    server: socket.socket


class Proxy:
    """Passes bytes between its clients and one server of the loopback interface, until told otherwise."""

    def __init__(self, port: int, *, word: bytes = b"") -> None:
        """Listen on a free port, for the server at ``port``; ``word`` is for ``mute``."""
        self._target = port
        self._word = word
        self._lock = Lock()
        self._pairs: set[_Pair] = set()
        self._losing = self._skipping = 0
        self._talkers: set[_Pair] = set()
        self._frozen = self._muted = False
        self._stopped = False
        self._selector = selectors.DefaultSelector()
        self._waker, self._wakened = socket.socketpair()
        self._selector.register(self._wakened, selectors.EVENT_READ)
        self._door = socket.create_server(("127.0.0.1", 0))
        self._selector.register(self._door, selectors.EVENT_READ)
        self.port: int = self._door.getsockname()[1]
        self.lost = 0
        """How many replies were lost so far."""
        self._thread = Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()

    def lose_replies(self, count: int = 1, *, skip: int = 0) -> None:
        """Let requests through, but swallow ``count`` replies and cut their connections.

        The next ``skip`` replies still pass.
        """
        with self._lock:
            self._losing, self._skipping = count, skip

    def freeze(self) -> None:
        """Pass nothing on, and leave the connections open."""
        self._frozen = True

    def thaw(self) -> None:
        """Pass on again, first of all what has come in meanwhile."""
        self._frozen = False
        self._wake()

    def mute(self) -> None:
        """Swallow all that the server says to clients which have said the word, before or after this."""
        self._muted = True

    def cut(self) -> None:
        """Cut every connection that is open now."""
        with self._lock:
            for pair in self._pairs:
                for end in pair:
                    # An end whose peer has gone already is cut enough.
                    with suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)
        self._wake()

    def close(self) -> None:
        """Cut everything and listen no more; safe to call twice."""
        self._stopped = True
        self._wake()
        self._thread.join(10.0)

    def _wake(self) -> None:
        # The thread may have seen for itself that it is to stop, and be gone.
        with suppress(OSError):
            self._waker.send(b".")

    # ── the thread ──────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        while not self._stopped:
            for key, _ in self._selector.select(0.05 if self._frozen else None):
                if key.fileobj is self._wakened:
                    self._wakened.recv(_CHUNK)
                elif key.fileobj is self._door:
                    self._accept()
                elif not self._frozen and isinstance(key.data, _Pair) and key.data in self._pairs:
                    self._pass_on(key.data, from_server=key.fileobj is key.data.server)
        for pair in list(self._pairs):
            self._drop(pair)
        for end in (self._door, self._waker, self._wakened):
            end.close()
        self._selector.close()

    def _accept(self) -> None:
        client, _ = self._door.accept()
        try:
            server = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            client.close()
            return
        pair = _Pair(client, server)
        with self._lock:
            self._pairs.add(pair)
        for end in pair:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(end, selectors.EVENT_READ, pair)

    def _pass_on(self, pair: _Pair, *, from_server: bool) -> None:
        source, target = (pair.server, pair.client) if from_server else pair
        try:
            data = source.recv(_CHUNK)
            if data and from_server and self._loses():
                data = b""
            if not from_server and self._word and self._word in data:
                self._talkers.add(pair)
            if data:
                if not (from_server and self._muted and pair in self._talkers):
                    target.sendall(data)
                return
        except OSError:
            # One end is gone: so is the connection.
            data = b""
        self._drop(pair)

    def _loses(self) -> bool:
        with self._lock:
            if self._losing == 0:
                return False
            if self._skipping > 0:
                self._skipping -= 1
                return False
            self._losing -= 1
            self.lost += 1
            return True

    def _drop(self, pair: _Pair) -> None:
        with self._lock:
            self._pairs.discard(pair)
        self._talkers.discard(pair)
        for end in pair:
            self._selector.unregister(end)
            end.close()
