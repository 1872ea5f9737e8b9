"""gunicorn's threads, for requests that have arrived whole.

A thread of gunicorn's reads its request itself, and waits for a slow client as long as that likes: eight half-sent
bodies were enough to hold all threads, and the probes with them. Here the loop, which waits for many connections at
once, receives each request to its end; then a thread gets it, and waits for no client. What nginx does in front of a
service, without nginx (docs/decisions/0034-the-front-door.md).

Once a request has begun, it has REQUEST_SECONDS to arrive. One whose body is too long, or is no body, is handed over as
far as it came, and its answer says `Connection: close`.

Written for the gunicorn of requirements.txt: it relies on ThreadWorker's own queues.
"""

import re
import socket
import time
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any, Final

from gunicorn import http
from gunicorn.http.unreader import Unreader
from gunicorn.workers.gthread import TConn, ThreadWorker

#: How long a request may take to arrive, from its first byte.
REQUEST_SECONDS: Final = 10.0
#: How long an answer that ends its connection is left for the client to read.
_LINGER_SECONDS: Final = 2.0
_MOST_HEAD: Final = 32 * 1024
#: Above what any view reads.
MOST_BODY: Final = 256 * 1024
_AT_ONCE: Final = 64 * 1024

_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,19})[ \t]*\r\n", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,8})[ \t]*(;|$)")


class _Received(Unreader):  # type: ignore[misc]
    """What gunicorn's parser reads from: bytes that are there already, and then the end."""

    def chunk(self, size_hint: int | None = None) -> bytes:
        return b""


class _Connection(TConn):  # type: ignore[misc]
    """A connection, and what has arrived of its next request."""

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        self.parser = http.get_parser(cfg, sock, client)
        self.parser.unreader = _Received()
        self.initialized = self.data_ready = True  # as if a thread of gunicorn's had done all this
        self.lingers = False
        self.begin()

    def begin(self) -> None:
        """Expect a request, of which a part may have come behind the last one."""
        self.received = bytearray(self.parser.unreader.take_buffered())
        self.cut = self.told_to_continue = False
        self._chunk_at = 0

    def has_whole_request(self) -> bool:
        """Whether a request has arrived to its end, or as far as it will be read: then it is `cut`."""
        head = self.received.find(b"\r\n\r\n")
        if head < 0:
            return False
        body, lines = head + 4, self.received[: head + 2]
        if _CHUNKED.search(lines):
            self._chunk_at = self._chunk_at or body
            return self._has_last_chunk(body + MOST_BODY)
        length = _LENGTH.search(lines)
        announced = int(length[1]) if length else 0
        self.cut = announced > MOST_BODY
        return self.cut or len(self.received) >= body + announced

    def _has_last_chunk(self, most: int) -> bool:
        """Go on from chunk to chunk; what is no chunk, or too far on, ends the request as well."""
        while (line := self.received.find(b"\r\n", self._chunk_at)) >= 0:
            size = _CHUNK_SIZE.match(bytes(self.received[self._chunk_at : line]))
            if size and not int(size[1], 16):  # the last one; an empty line ends what comes behind
                self.cut = self.received.find(b"\r\n\r\n", line) < 0 and len(self.received) > most
                return self.cut or b"\r\n\r\n" in self.received[line:]
            after = line + 2 + int(size[1], 16) + 2 if size else 0
            self.cut = not size or after > most
            if self.cut or after > len(self.received):
                return self.cut
            self._chunk_at = after
        self.cut = len(self.received) > most
        return self.cut

    def is_too_long(self) -> bool:
        """Whether even the head has no end."""
        return len(self.received) > _MOST_HEAD and b"\r\n\r\n" not in self.received[: _MOST_HEAD + 4]

    def tell_to_continue(self) -> None:
        """Let a client that asks whether to send its body send it."""
        head = self.received.find(b"\r\n\r\n")
        if head >= 0 and not self.told_to_continue and _EXPECTS.search(self.received, 0, head):
            self.told_to_continue = True
            self.say(b"100 Continue\r\n\r\n")

    def say(self, line: bytes) -> None:
        """Send a few bytes, if the client takes them."""
        with suppress(OSError):
            self.sock.send(b"HTTP/1.1 " + line)


class WholeRequestWorker(ThreadWorker):  # type: ignore[misc]
    """ThreadWorker whose threads never wait for a client's bytes. It knows no TLS, which ends at the load balancer."""

    def accept(self, listener: socket.socket) -> None:
        """A new connection is like one that is kept alive: it may take its time to begin."""
        try:
            sock, client = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        conn = _Connection(self.cfg, sock, client, listener.getsockname())
        conn.set_timeout()
        self.keepalived_conns.append(conn)
        self.poller.register(sock, EVENT_READ, partial(self.on_client_socket_readable, conn))

    def enqueue_req(self, conn: _Connection) -> None:
        """Called by gunicorn when something arrives on an idle connection, or was left over from the last request."""
        conn.begin()
        if conn.has_whole_request():
            self._hand_over(conn)
        else:
            self._wait(conn, REQUEST_SECONDS)

    def on_pending_socket_readable(self, conn: _Connection, client: socket.socket) -> None:
        """Receive what there is; hand the request over once it is whole, or its client will send no more."""
        try:
            found = client.recv(_AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            found = b""
        if conn.lingers:  # what it still sends is not read
            if not found:
                self._drop(conn)
            return
        conn.received += found
        if found and not conn.has_whole_request():
            conn.tell_to_continue()
            if conn.is_too_long():
                self._refuse(conn, b"431 Request Header Fields Too Large")
        elif conn.received:
            conn.cut = conn.cut or not found
            self._forget(conn)
            self._hand_over(conn)
        else:
            self._drop(conn)

    def handle_request(self, req: Any, conn: _Connection) -> bool:
        """As gunicorn's, but that an answer to a request that is cut ends the connection, and says so."""
        if conn.cut:
            req.force_close()
        if conn.told_to_continue:
            req._expected_100_continue = False
        return bool(super().handle_request(req, conn))

    def _keepalive_after(self, conn: _Connection, keepalive: bool) -> bool:
        # gunicorn reads no more than 64 KiB that the view has left, then closes a connection that it called kept alive.
        return keepalive and bool(conn.parser.finish_body())

    def finish_request(self, conn: _Connection, fs: "Future[bool]") -> None:
        """As gunicorn's, which waits in the loop, and so keeps all clients waiting, until this one has hung up."""
        if not fs.cancelled() and not fs.exception() and fs.result():
            super().finish_request(conn, fs)
            return
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.lingers = True
            self._wait(conn, _LINGER_SECONDS)
        except OSError:
            self.nr_conns -= 1
            conn.close()

    def murder_pending(self) -> None:
        """End what took too long."""
        now = time.monotonic()
        for conn in [conn for conn in self.pending_conns if conn.timeout <= now]:
            if conn.lingers:
                self._drop(conn)
            else:
                self._refuse(conn, b"408 Request Timeout")

    def _hand_over(self, conn: _Connection) -> None:
        conn.parser.unreader.unread(bytes(conn.received))
        super().enqueue_req(conn)

    def _wait(self, conn: _Connection, seconds: float) -> None:
        conn.sock.setblocking(False)  # noqa: FBT003
        conn.timeout = time.monotonic() + seconds
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def _refuse(self, conn: _Connection, status: bytes) -> None:
        conn.say(status + b"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        self._drop(conn)

    def _forget(self, conn: _Connection) -> None:
        self.poller.unregister(conn.sock)
        self.pending_conns.remove(conn)

    def _drop(self, conn: _Connection) -> None:
        self._forget(conn)
        self.nr_conns -= 1
        conn.close()
