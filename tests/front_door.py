"""The service's gunicorn on a database of its own, and clients of it that know more of HTTP than they should."""

import http.client
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.db import connection

from local.processes import WEB, with_this_python
from local.stack import ChildProcess, EmbeddedStack
from local.stack.listening import on_a_free_port, wait_until_listening
from proofs.service.copies import drop, fresh_copy
from proofs.service.running_service import ROOT

#: More than there are threads.
MANY = WEB.processes * WEB.threads + 2
POST = b"POST /loan-applications HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HALF = {
    "nothing": b"",
    "half a head": POST + b"Content-Le",
    "half a body": POST + b'Content-Length: 80\r\n\r\n{"requestId": "r"',
    "half a chunk": POST + b'Transfer-Encoding: chunked\r\n\r\n50\r\n{"requestId": "r"',
    "no last chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "too much, and no end": POST + b"Content-Length: 9999999\r\n\r\n" + b" " * 1000,
}


@contextmanager
def web_server(stack: EmbeddedStack, name: str) -> Iterator[tuple[int, ChildProcess]]:
    """The port and the process of a gunicorn as it is deployed, every process of which has read its code."""
    database = name.replace("-", "_")
    address, _, _name = stack.environment["DATABASE_URL"].rpartition("/")
    fresh_copy(stack, database=database, template=f"{connection.settings_dict['NAME']}_template")

    def start(port: int) -> tuple[int, ChildProcess]:
        web = ChildProcess(
            "web",
            with_this_python(WEB.command(f"127.0.0.1:{port}", "--no-control-socket", "--access-logfile", "-")),
            log_path=stack.log_folder / f"{name}.log",
            environment=os.environ | {"DATABASE_URL": f"{address}/{database}"},
            folder=ROOT,
            grace_seconds=5,
        )
        web.start()
        wait_until_listening(web, port)
        return port, web

    port, web = on_a_free_port(start)
    warm = [http.client.HTTPConnection("127.0.0.1", port, timeout=120) for _thread in range(MANY)]
    for client in warm:  # all at once
        client.request("GET", "/health/live")
    assert {client.getresponse().status for client in warm} == {200}
    for client in warm:
        client.close()
    yield port, web
    web.stop()
    drop(stack, database)


@contextmanager
def connections(port: int) -> Iterator[Callable[..., socket.socket]]:
    """Opens connections, with a receive window of so many bytes if asked for; all are closed in the end."""
    with ExitStack() as opened:

        def connect(window: int | None = None) -> socket.socket:
            client = opened.enter_context(socket.socket())
            if window:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
            client.settimeout(30)
            client.connect(("127.0.0.1", port))
            return client

        yield connect


def application(loan_id: str) -> bytes:
    """The body of an application for a loan."""
    return json.dumps({"requestId": loan_id, "loanId": loan_id, "borrowerId": "B", "amount": "1000"}).encode()


class Pooled:
    """A client that keeps its one connection, and never opens another unless it was told that it must."""

    def __init__(self, port: int) -> None:
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.http.connect()
        self.http.auto_open = 0
        self.told_to_close = 0

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """The status, and the JSON of the answer."""
        if self.http.sock is None:
            self.http.connect()
        self.http.request(method, path, body, {"Content-Type": "application/json"} | headers)
        answer = self.http.getresponse()
        content = answer.read()
        self.told_to_close += answer.will_close
        return answer.status, json.loads(content)

    def apply(self, number: int) -> tuple[int, Any]:
        """Apply for a loan."""
        return self.ask("POST", "/loan-applications", application(f"pooled-{number}"))


def answered(sock: socket.socket) -> tuple[str, bytes]:
    """The first line of what the server says, and all of it, until it hangs up."""
    found = b""
    while chunk := sock.recv(65536):
        found += chunk
    return found.partition(b"\r\n")[0].decode(), found


def seconds_of_a_probe(port: int) -> float:
    """How long `/health/live` and `/health/ready` take on a new connection."""
    begun = time.monotonic()
    for path in ("/health/live", "/health/ready"):
        probe = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        probe.request("GET", path)
        assert probe.getresponse().status == 200
        probe.close()
    return time.monotonic() - begun
