"""gunicorn without a proxy in front: clients that are slow, that break off, that send too much, that stay connected."""

import http.client
import json
import os
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from django.db import connection

from coruscant.web.worker import MOST_BODY, REQUEST_SECONDS
from local.processes import WEB, with_this_python
from local.stack import ChildProcess
from local.stack.listening import on_a_free_port, wait_until_listening
from proofs.service.copies import drop, fresh_copy
from proofs.service.running_service import ROOT

pytestmark = [pytest.mark.system, pytest.mark.django_db, pytest.mark.timeout(240)]

DATABASE = "front_door"

#: More than there are threads.
MANY = WEB.processes * WEB.threads + 2
POST = b"POST /loan-applications HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def port(stack, django_db_setup):
    """The service's gunicorn as it is deployed, on a database of its own."""
    address, _, _name = stack.environment["DATABASE_URL"].rpartition("/")
    fresh_copy(stack, database=DATABASE, template=f"{connection.settings_dict['NAME']}_template")

    def start(port):
        web = ChildProcess(
            "web",
            with_this_python(WEB.command(f"127.0.0.1:{port}", "--no-control-socket")),
            log_path=stack.log_folder / "front-door.log",
            environment=os.environ | {"DATABASE_URL": f"{address}/{DATABASE}"},
            folder=ROOT,
            grace_seconds=5,
        )
        web.start()
        wait_until_listening(web, port)
        return web, port

    web, port = on_a_free_port(start)
    warm = [http.client.HTTPConnection("127.0.0.1", port, timeout=120) for _thread in range(MANY)]
    for client in warm:  # all at once, so that every process has read its code
        client.request("GET", "/health/live")
    assert {client.getresponse().status for client in warm} == {200}
    yield port
    web.stop()
    drop(stack, DATABASE)


@pytest.fixture
def connect(port):
    """Open connections, closed at the end of the test."""
    with ExitStack() as opened:
        yield lambda: opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))


def application(loan_id):
    """The body of an application for a loan."""
    return json.dumps({"requestId": loan_id, "loanId": loan_id, "borrowerId": "B", "amount": "1000"}).encode()


class Pooled:
    """A client that keeps its one connection, and never opens another unless it was told that it must."""

    def __init__(self, port):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.http.connect()
        self.http.auto_open = 0
        self.told_to_close = 0

    def ask(self, method, path, body=None, **headers):
        """The status, and the JSON of the answer."""
        if self.http.sock is None:
            self.http.connect()
        self.http.request(method, path, body, {"Content-Type": "application/json"} | headers)
        answer = self.http.getresponse()
        content = answer.read()
        self.told_to_close += answer.will_close
        return answer.status, json.loads(content)

    def apply(self, number):
        """Apply for a loan."""
        return self.ask("POST", "/loan-applications", application(f"pooled-{number}"))


def answered(sock):
    """The first line of what the server says, and all of it, until it hangs up."""
    found = b""
    while chunk := sock.recv(65536):
        found += chunk
    return found.partition(b"\r\n")[0].decode(), found


def seconds_of_a_probe(port):
    """How long `/health/live` and `/health/ready` take on a new connection."""
    begun = time.monotonic()
    for path in ("/health/live", "/health/ready"):
        probe = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        probe.request("GET", path)
        assert probe.getresponse().status == 200
        probe.close()
    return time.monotonic() - begun


HALF = {
    "nothing": b"",
    "half a head": POST + b"Content-Le",
    "half a body": POST + b'Content-Length: 80\r\n\r\n{"requestId": "r"',
    "half a chunk": POST + b'Transfer-Encoding: chunked\r\n\r\n50\r\n{"requestId": "r"',
    "no last chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "too much, and no end": POST + b"Content-Length: 9999999\r\n\r\n" + b" " * 1000,
}


def test_probes_are_answered_while_more_clients_than_threads_have_sent_half_of_something(port, connect):
    usual = seconds_of_a_probe(port)
    held = []
    for half in HALF.values():
        for _client in range(MANY):
            held.append(connect())
            held[-1].sendall(half)
    time.sleep(0.5)
    assert seconds_of_a_probe(port) < usual + 3
    status, _loan = Pooled(port).apply(1)
    assert status == 202


def test_a_request_that_does_not_arrive_is_ended_and_one_that_only_takes_its_time_is_served(port, connect):
    stuck, slow = connect(), connect()
    stuck.sendall(HALF["half a body"])
    body = application("slow")
    slow.sendall(POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
    for byte in body:
        slow.sendall(bytes([byte]))
        time.sleep(0.02)
    assert answered(slow)[0] == "HTTP/1.1 202 Accepted"
    begun = time.monotonic()
    assert answered(stuck)[0] == "HTTP/1.1 408 Request Timeout"
    assert time.monotonic() - begun < REQUEST_SECONDS + 3


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (HALF["too much, and no end"], 413),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nxyz\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nFFFFFF\r\n" + b" " * 2 * 1024, 400),
        (POST + b"X: " + b"y" * 40_000, 431),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"y" * 300 * 1024, 400),
    ],
    ids=["announced too long", "no chunk", "a chunk too long", "a head too long", "a trailer without end"],
)
def test_what_will_not_be_read_to_its_end_is_answered_at_once_with_a_connection_that_closes(connect, sent, status):
    client = connect()
    client.sendall(sent)
    line, text = answered(client)
    assert line.split()[1] == str(status)
    assert b"\r\nconnection: close\r\n" in text.lower()


def test_a_pooled_client_meets_no_reset_that_it_was_not_told_of(port):
    """Through errors, bodies that are too large, unread bodies, and a time longer than the minute of most pools."""
    client = Pooled(port)
    assert client.apply(1)[0] == 202
    assert client.ask("POST", "/loan-applications", b"{")[0] == 400
    assert client.ask("POST", "/unknown", b"x" * 2000)[0] == 404  # nobody reads this body
    assert client.ask("POST", "/loans", b"x" * 2000)[0] == 405
    assert client.ask("POST", "/loan-applications", b"{}", Authorization="Token x")[0] == 401
    assert client.ask("POST", "/loan-applications", b" " * (64 * 1024 + 1))[0] == 413
    assert client.apply(2)[0] == 202
    assert client.ask("POST", "/loan-applications", iter([b'{"requestId"', b": 1}"]))[0] == 400  # in chunks
    assert client.told_to_close == 0
    assert client.ask("POST", "/loan-applications", b" " * (MOST_BODY + 1))[0] == 413
    assert client.told_to_close == 1
    assert client.apply(3)[0] == 202
    time.sleep(62)
    assert client.apply(4)[0] == 202
    assert client.told_to_close == 1


def test_requests_that_are_sent_ahead_are_answered_in_turn(connect):
    body = application("ahead")
    post = POST + b"Content-Length: %d\r\n\r\n" % len(body) + body
    last = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    client = connect()
    client.sendall(post + post + last[:20])
    time.sleep(0.5)
    client.sendall(last[20:])
    _line, text = answered(client)
    assert re.findall(rb"HTTP/1.1 (\d+)", text) == [b"202", b"202", b"200"]


def test_a_client_that_asks_whether_to_send_its_body_is_told_once(connect):
    body = application("expected")
    client = connect()
    client.sendall(POST + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
    assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sendall(body)
    assert answered(client)[0] == "HTTP/1.1 202 Accepted"


def test_a_body_in_chunks_is_read_wherever_it_is_cut(connect):
    like_the_end = b"\r\n0\r\n\r\n"
    parts = (b'{"note":', like_the_end, b"," + application("chunked")[1:])
    chunks = b"".join(b"%x;x=1\r\n%s\r\n" % (len(part), part) for part in parts)
    client = connect()
    for byte in POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nSum: 1\r\n\r\n":
        client.sendall(bytes([byte]))
    assert answered(client)[0] == "HTTP/1.1 202 Accepted"


def test_fifty_clients_of_a_fresh_process_get_the_schema(port):
    def get(_number):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        client.request("GET", "/schema")
        answer = client.getresponse()
        return answer.status, len(answer.read())

    with ThreadPoolExecutor(50) as clients:
        ((status, length),) = set(clients.map(get, range(50)))
    assert (status, length > 10_000) == (200, True)
