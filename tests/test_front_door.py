"""gunicorn without a proxy in front: clients that are slow, that break off, that send too much, that do not read, and
that stay connected."""

import http.client
import json
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from coruscant.web.arrival import MOST_BODY
from coruscant.web.gunicorn_settings import worker_connections
from coruscant.web.worker import REQUEST_SECONDS
from local.processes import WEB
from tests.front_door import (
    HALF,
    MANY,
    POST,
    Pooled,
    answered,
    application,
    connections,
    seconds_of_a_probe,
    web_server,
)

pytestmark = [pytest.mark.system, pytest.mark.django_db, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def web(stack, django_db_setup):
    """The port and the process of the service's gunicorn."""
    with web_server(stack, "front-door") as running:
        yield running


@pytest.fixture(scope="module")
def port(web):
    """Where the service's gunicorn listens, as it is deployed."""
    return web[0]


@pytest.fixture
def connect(port):
    """Open connections, closed at the end of the test."""
    with connections(port) as connect:
        yield connect


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
        (POST + b"Content-Length: 9999999\r\n\r\n" + b" " * 3_000_000, 413),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nxyz\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nFFFFFF\r\n" + b" " * 3_000_000, 413),
        (POST + b"X: " + b"y" * 3_000_000, 431),
    ],
    ids=["announced too long", "no chunk", "a chunk too long", "a head too long"],
)
def test_what_will_not_be_read_to_its_end_is_refused_and_the_client_can_read_why(connect, sent, status):
    client = connect()
    client.sendall(sent)
    line, text = answered(client)
    head, _, body = text.partition(b"\r\n\r\n")
    assert line.split()[1] == str(status)
    assert b"\r\nconnection: close\r\n" in head.lower()
    assert json.loads(body)["status"] == status


def test_no_view_sees_a_form_that_breaks_off(connect):
    """Its part reads like a whole one, to which the admin would say 403: there is no CSRF token in it."""
    form = b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    part, whole = connect(), connect()
    part.sendall(form + b"Content-Length: 40\r\n\r\nusername=a&password=b")
    part.shutdown(socket.SHUT_WR)
    assert answered(part)[0] == "HTTP/1.1 400 Bad Request"
    whole.sendall(form + b"Content-Length: 21\r\n\r\nusername=a&password=b")
    whole.shutdown(socket.SHUT_WR)
    assert answered(whole)[0] == "HTTP/1.1 403 Forbidden"


LONG = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"


def test_probes_are_answered_while_more_clients_than_threads_do_not_read_a_long_answer(port, connect):
    usual = seconds_of_a_probe(port)
    ask = f"GET {LONG} HTTP/1.1\r\nHost: localhost\r\n".encode()
    unread = []
    for _client in range(MANY):  # four of 1.5 MB are more than a kernel keeps for a client
        unread.append(connect(window=4096))
        unread[-1].sendall((ask + b"\r\n") * 3 + ask + b"Connection: close\r\n\r\n")
    time.sleep(1)
    assert seconds_of_a_probe(port) < usual + 3
    _line, text = answered(unread[0])
    lengths = re.findall(rb"\r\nContent-Length: (\d+)\r\n", text)
    assert re.findall(rb"HTTP/1.1 (\d+)", text) == [b"200"] * 4
    assert sum(map(int, lengths)) > 6_000_000
    assert len(text) > sum(map(int, lengths))


def test_a_thousand_silent_clients_keep_neither_newcomers_nor_pooled_clients_out(port, connect):
    pooled = Pooled(port)
    assert pooled.apply(10)[0] == 202
    for _client in range(WEB.processes * worker_connections + 50):
        connect()
    time.sleep(0.5)
    assert seconds_of_a_probe(port) < 5
    assert pooled.apply(11)[0] == 202
    assert pooled.told_to_close <= 1  # one that is told opens another


def test_a_thousand_idle_clients_keep_no_newcomer_out(port, connect):
    for _client in range(WEB.processes * worker_connections + 50):
        connect().sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    time.sleep(1)
    assert seconds_of_a_probe(port) < 5
    assert Pooled(port).apply(12)[0] == 202


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
    client.http.sock.sendall(b"\r\n")  # as some do after a body; it begins no request
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


def test_a_client_that_asks_whether_to_send_its_body_is_told_once_also_behind_another_request(connect):
    body = application("expected")
    asking = POST + b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body)
    first, behind, old = connect(), connect(), connect()
    first.sendall(asking)
    assert first.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    first.sendall(body)
    assert answered(first)[0] == "HTTP/1.1 202 Accepted"
    behind.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n" + asking)
    time.sleep(0.5)
    behind.sendall(body)
    assert re.findall(rb"HTTP/1.1 (\d+)", answered(behind)[1]) == [b"200", b"100", b"202"]
    old.sendall(asking.replace(b"HTTP/1.1", b"HTTP/1.0"))
    time.sleep(0.2)
    old.sendall(body)
    assert answered(old)[0] == "HTTP/1.0 202 Accepted"


def test_empty_lines_before_a_request_are_no_request(connect):
    client = connect()
    for sent in (b"\r\n", b"\r\n\r\nGET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"):
        client.sendall(sent)
        time.sleep(0.2)
    assert answered(client)[0] == "HTTP/1.1 200 OK"


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


def test_the_log_is_json_throughout_and_its_line_of_a_request_names_no_borrower_and_no_loan(web):
    port, process = web
    client = Pooled(port)
    begun = len(process.log_path.read_text().splitlines())
    client.ask("GET", "/loans?borrowerId=greef", **{"X-Request-ID": "first"})
    client.ask("GET", "/loans/greef?x=greef", **{"X-Request-ID": "second"})
    client.ask("GET", "/health/live")
    client.http.sock.sendall(b"no request\r\n\r\n")
    answered(client.http.sock)
    lines = [json.loads(line) for line in process.log_path.read_text().splitlines()]
    assert {"gunicorn.error", "gunicorn.access"} <= {line["logger"] for line in lines}
    requests = [line for line in lines[begun:] if line["event"] == "http_request"]
    assert [(line["method"], line["route"], line["code"], line["http_request_id"]) for line in requests[:3]] == [
        ("GET", "loans", 200, "first"),
        ("GET", "loans/<loan_id:loanId>", 404, "second"),
        ("GET", "^health/live/?\\Z", 200, None),
    ]
    assert all("greef" not in str(line) for line in requests)
    assert all("borrowerId" not in str(line) and "x=greef" not in str(line) for line in lines[begun:])
