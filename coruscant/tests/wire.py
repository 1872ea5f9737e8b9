"""A TCP wire between a process and a server that can be cut, or fall silent without a word."""

import selectors
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import Self

_RESET = struct.pack("ii", 1, 0)


class _Connection:
    """Two sockets, and the instant at which they fall silent, if ever."""

    def __init__(self, client: socket.socket, server: socket.socket, silent_after: float | None) -> None:
        self.client, self.server = client, server
        self._silent_from = None if silent_after is None else time.monotonic() + silent_after

    @property
    def speaks(self) -> bool:
        return self._silent_from is None or time.monotonic() < self._silent_from

    def fall_silent(self) -> None:
        self._silent_from = time.monotonic()

    def reset(self) -> None:
        for end in (self.client, self.server):
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.close()


class Wire:
    """Passes on what arrives at `port`, in a thread of its own. Its orders hold when they return."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, _Connection] = {}
        self._silent_after: float | None = None
        self._refuses = self._ends = False
        self._thread = threading.Thread(target=self._run, name="wire", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ends = True
        self._thread.join(5)
        self._reset_all()
        self._listener.close()

    def pass_on(self) -> None:
        """New connections pass everything on. Those that have fallen silent stay so."""
        with self._lock:
            self._silent_after, self._refuses = None, False

    def refuse(self) -> None:
        """Open connections are reset, and new ones at once."""
        with self._lock:
            self._silent_after, self._refuses = None, True
            self._reset_all()

    def fall_silent(self) -> None:
        """Nothing passes any more, on open connections and on new ones: no word, no end."""
        with self._lock:
            self._silent_after, self._refuses = 0, False
            for connection in self._connections.values():
                connection.fall_silent()

    def reset_and_fall_silent(self, after_seconds: float) -> None:
        """Open connections are reset. New ones pass on for so long, and then nothing: no word, no end."""
        with self._lock:
            self._silent_after, self._refuses = after_seconds, False
            self._reset_all()

    def _reset_all(self) -> None:
        for connection in set(self._connections.values()):
            connection.reset()
        self._connections.clear()

    def _run(self) -> None:
        while not self._ends:
            with self._lock:
                ends = [self._listener, *(end for end, between in self._connections.items() if between.speaks)]
            with selectors.DefaultSelector() as selector:
                for end in ends:
                    with suppress(ValueError, KeyError):  # reset meanwhile
                        selector.register(end, selectors.EVENT_READ)
                ready = [key.fileobj for key, _events in selector.select(timeout=0.02)]
            with self._lock:
                for found in ready:
                    assert isinstance(found, socket.socket)
                    self._accept() if found is self._listener else self._pass(found)

    def _accept(self) -> None:
        client, _address = self._listener.accept()
        connection = _Connection(client, socket.create_connection(self._server, timeout=5), self._silent_after)
        if self._refuses:
            connection.reset()
            return
        self._connections[connection.client] = self._connections[connection.server] = connection

    def _pass(self, end: socket.socket) -> None:
        connection = self._connections.get(end)
        if connection is None:  # reset meanwhile
            return
        try:
            data = end.recv(65536)
            if data:
                other = connection.server if end is connection.client else connection.client
                other.sendall(data)
                return
        except OSError:
            pass
        connection.reset()
        del self._connections[connection.client], self._connections[connection.server]
