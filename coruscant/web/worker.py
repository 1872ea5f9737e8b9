"""gunicorn's threads, for requests that have arrived whole and answers that are sent when their clients read them.

A thread of gunicorn's reads its request itself and writes its answer itself, and waits for a slow client as long as
that likes: eight half-sent bodies, or eight unread answers, were enough to hold all threads, and the probes with them.
Here the loop, which waits for many connections at once, receives each request to its end; then a thread gets it, and
leaves to the loop what the client does not take at once. What nginx does in front of a service, without nginx
(docs/decisions/0034-the-front-door.md).

A request has REQUEST_SECONDS to arrive from its first byte, an answer ANSWER_SECONDS to be taken. One too long to be
kept must be taken fast enough. What is too long or breaks off is refused here, and no view sees it. A process that is
full closes the connection that matters least, so that a newcomer finds room unless threads are busy with all of them.

Written for the gunicorn of requirements.txt: it relies on ThreadWorker's own queues.
"""

import json
import socket
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from enum import IntEnum
from functools import partial
from http import HTTPStatus
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any, Final

from gunicorn import http
from gunicorn.http.errors import NoMoreData
from gunicorn.http.unreader import Unreader
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from coruscant.web.arrival import Arrival
from coruscant.web.sending import ANSWER_SECONDS, AnswerSocket, TooSlowError

REQUEST_SECONDS: Final = 10.0
#: How long an answer that ends its connection is left for the client to read.
_LINGER_SECONDS: Final = 2.0
#: So many answers of a process wait for their clients.
_MOST_SENDING: Final = 32
_AT_ONCE: Final = 64 * 1024


class _Received(Unreader):  # type: ignore[misc]
    """What gunicorn's parser reads from: bytes that are there already. It never needs more, or a request is not whole.

    The views then read an error, never a part as if it were the whole.
    """

    def chunk(self, size_hint: int | None = None) -> bytes:
        raise NoMoreData


class _Stage(IntEnum):
    """What a connection is at. The lower, the sooner it is closed when there is no room for another."""

    ENDING = 0  # answered for the last time; what still comes is not read
    SILENT = 1  # never sent anything
    IDLE = 2
    ARRIVING = 3
    SENDING = 4
    SERVED = 5  # by a thread: never closed


class _Connection(TConn):  # type: ignore[misc]
    """A connection, and what has arrived of its next request."""

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(cfg, AnswerSocket(sock), client, server)
        self.parser = http.get_parser(cfg, self.sock, client)
        self.parser.unreader = _Received()
        self.initialized = self.data_ready = True  # as if a thread of gunicorn's had done all this
        self.stage = _Stage.SILENT
        self.goes_on = self.told_to_continue = False
        self.arrival = Arrival()

    def say(self, line: bytes) -> None:
        """Send a few bytes, if the client takes them."""
        with suppress(OSError):
            self.sock.send(b"HTTP/1.1 " + line)


class WholeRequestWorker(ThreadWorker):  # type: ignore[misc]
    """ThreadWorker whose threads never wait for a client. It knows no TLS, which ends at the load balancer."""

    def accept(self, listener: socket.socket) -> None:
        """A new connection is like one that is kept alive: it may take its time to begin."""
        try:
            sock, client = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        if self.nr_conns >= self.worker_connections:
            self._make_room()
        self._keep(_Connection(self.cfg, sock, client, listener.getsockname()), _Stage.SILENT)

    def on_client_socket_readable(self, conn: _Connection, client: socket.socket) -> None:
        """Called when something arrives on an idle connection; also if that was closed a moment ago, to make room."""
        if client.fileno() >= 0:
            super().on_client_socket_readable(conn, client)

    def enqueue_req(self, conn: _Connection) -> None:
        """Begin to receive a request, whose first bytes are here."""
        self._begin(conn)
        self.on_pending_socket_readable(conn, conn.sock)

    def on_pending_socket_readable(self, conn: _Connection, client: socket.socket) -> None:
        """Receive what there is."""
        if client.fileno() < 0:
            return
        try:
            found = client.recv(_AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            found = b""
        if conn.stage is _Stage.ARRIVING:
            self._receive(conn, found)
        elif not found:
            self._drop(conn)

    def on_socket_writable(self, conn: _Connection, client: AnswerSocket) -> None:
        """Send on, and go on when the client has all."""
        if client.fileno() < 0:
            return
        try:
            client.send_unsent()
        except OSError:
            self._drop(conn)
            return
        if not client.unsent:
            self._forget(conn)
            self._go_on(conn)

    def handle_request(self, req: Any, conn: _Connection) -> bool:
        """As gunicorn's, which would tell the client to send the body that is here. A slow reader is given up."""
        req._expected_100_continue = False
        conn.sock.begin()
        try:
            return bool(super().handle_request(req, conn))
        except TooSlowError:
            self.log.warning("Gave up an answer to ip=%s: it was taken too slowly", (conn.client or [""])[0])
            return False

    def _keepalive_after(self, conn: _Connection, keepalive: bool) -> bool:
        # gunicorn reads no more than 64 KiB that the view has left, then closes a connection that it called kept alive.
        return keepalive and bool(conn.parser.finish_body())

    def finish_request(self, conn: _Connection, fs: "Future[bool]") -> None:
        """Called when a thread is done with a request: leave the answer to the client, which waits for nobody."""
        conn.goes_on = not fs.cancelled() and not fs.exception() and bool(fs.result())
        if not conn.sock.unsent or conn.sock.fileno() < 0:
            self._go_on(conn)
            return
        self._wait(conn, _Stage.SENDING, ANSWER_SECONDS)
        sending = [conn for conn in self.pending_conns if conn.stage is _Stage.SENDING]
        if len(sending) > _MOST_SENDING:
            self._drop(sending[0])

    def murder_pending(self) -> None:
        """End what took too long."""
        now = time.monotonic()
        for conn in [conn for conn in self.pending_conns if conn.timeout <= now]:
            if conn.stage is _Stage.ARRIVING:
                self._refuse(conn, HTTPStatus.REQUEST_TIMEOUT)
            else:
                self._drop(conn)

    def _begin(self, conn: _Connection) -> None:
        conn.arrival, conn.told_to_continue = Arrival(), False
        self._wait(conn, _Stage.ARRIVING, REQUEST_SECONDS)

    def _receive(self, conn: _Connection, found: bytes) -> None:
        """Add to a request: hand it over once it is whole, or refuse it if it never will be."""
        arrival = conn.arrival
        arrival.add(found)
        if arrival.whole:
            self._forget(conn)
            conn.stage = _Stage.SERVED
            conn.parser.unreader.unread(bytes(arrival.received))
            super().enqueue_req(conn)
        elif arrival.refusal:
            self._refuse(conn, arrival.refusal)
        elif not found:
            if arrival.received:
                self._refuse(conn, HTTPStatus.BAD_REQUEST)
            else:
                self._drop(conn)
        elif not arrival.received:  # empty lines only
            self._forget(conn)
            self._keep(conn, _Stage.IDLE)
        elif arrival.asks_to_continue and not conn.told_to_continue:
            conn.told_to_continue = True
            conn.say(b"100 Continue\r\n\r\n")

    def _go_on(self, conn: _Connection) -> None:
        """After an answer: to the next request, a part of which may be here, or to the end of the connection."""
        if not conn.goes_on:
            self._end(conn)
        elif ahead := conn.parser.unreader.take_buffered():
            self._begin(conn)
            self._receive(conn, ahead)
        else:
            self._keep(conn, _Stage.IDLE)

    def _keep(self, conn: _Connection, stage: _Stage) -> None:
        conn.sock.setblocking(False)  # noqa: FBT003
        conn.stage = stage
        conn.set_timeout()
        if not self.alive:
            conn.timeout = min(conn.timeout, time.monotonic() + STOP_KEEPALIVE_LINGER)
        self.keepalived_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_client_socket_readable, conn))

    def _wait(self, conn: _Connection, stage: _Stage, seconds: float) -> None:
        conn.sock.setblocking(False)  # noqa: FBT003
        conn.stage = stage
        conn.timeout = time.monotonic() + seconds
        self.pending_conns.append(conn)
        if stage is _Stage.SENDING:
            self.poller.register(conn.sock, EVENT_WRITE, partial(self.on_socket_writable, conn))
        else:
            self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def _refuse(self, conn: _Connection, status: HTTPStatus) -> None:
        """Answer a request that no view sees, in the words of the API's problems."""
        self.log.warning("Refused a request from ip=%s: %d %s", (conn.client or [""])[0], status, status.phrase)
        body = json.dumps({"type": "about:blank", "title": status.phrase, "status": status}).encode()
        head = f"{status.value} {status.phrase}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
        conn.say(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        self._forget(conn)
        self._end(conn)

    def _end(self, conn: _Connection) -> None:
        """End our side. What the client still sends is thrown away for a while: a reset could overtake the answer."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            self._wait(conn, _Stage.ENDING, _LINGER_SECONDS)
        except OSError:
            self.nr_conns -= 1
            conn.close()

    def _make_room(self) -> None:
        """Close the connection that matters least, and of several that has been so for longest."""
        waiting = [*self.keepalived_conns, *self.pending_conns]
        if waiting:
            self._drop(min(waiting, key=lambda conn: (conn.stage, conn.timeout)))

    def _drop(self, conn: _Connection) -> None:
        self._forget(conn)
        self.nr_conns -= 1
        conn.close()

    def _forget(self, conn: _Connection) -> None:
        self.poller.unregister(conn.sock)
        waiting: deque[_Connection] = (
            self.keepalived_conns if conn.stage in {_Stage.SILENT, _Stage.IDLE} else self.pending_conns
        )
        waiting.remove(conn)
