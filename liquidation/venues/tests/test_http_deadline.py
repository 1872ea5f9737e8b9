"""A call to a market ends in time whatever the market does with the connection."""

import socket
import threading
import time
from contextlib import contextmanager

import pytest

from liquidation.venues import http
from liquidation.verdicts import NeverSent, Unclear

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"


def drip(connection, data):
    for byte in data:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def drips_headers(connection):
    drip(connection, HEAD)


def drips_body(connection):
    connection.sendall(HEAD)
    drip(connection, b"x" * 1000)


def says_nothing(connection):
    time.sleep(3)


def cuts_the_body(connection):
    connection.sendall(HEAD + b"{")


def closes(connection):
    pass


def talks_too_much(connection):
    size = http.MAX_ANSWER_BYTES + 1
    connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode() + b"x" * size)


def read_request(connection):
    """A whole request: its head and its body may come in two pieces. False at the end of the connection."""
    seen = b""
    while not seen.endswith(b"\r\n\r\n{}"):
        piece = connection.recv(65536)
        if not piece:
            return False
        seen += piece
    return True


@contextmanager
def server(behave):
    """A TCP server that reads a request and then behaves; yields its address and the number of connections."""
    listener = socket.create_server(("127.0.0.1", 0))
    accepted = []

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            accepted.append(connection)
            with connection:
                try:
                    read_request(connection)
                    behave(connection)
                except OSError:
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/orders", accepted
    listener.close()


@pytest.mark.parametrize("behave", [drips_headers, drips_body, says_nothing])
def test_the_time_out_is_total(behave):
    with server(behave) as (url, _):
        began = time.monotonic()
        answer = http.post(url, "{}", timeout_seconds=0.4)
        took = time.monotonic() - began
    assert isinstance(answer, Unclear)
    assert 0.35 < took < 2  # a drip every 50 ms would keep a per-read time-out of 0.4 s alive for 50 s


@pytest.mark.parametrize("behave", [cuts_the_body, closes, talks_too_much])
def test_a_broken_answer_proves_nothing_and_is_not_sent_again(behave):
    with server(behave) as (url, accepted):
        assert isinstance(http.post(url, "{}", timeout_seconds=2), Unclear)
        assert len(accepted) == 1


def test_a_name_that_does_not_resolve_was_never_sent_to():
    assert isinstance(http.post("http://market.invalid/orders", "{}", timeout_seconds=2), NeverSent)


def test_a_connection_is_kept_for_the_next_order():
    def answers(connection):
        while True:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            if not read_request(connection):
                return

    with server(answers) as (url, accepted):
        for _ in range(3):
            assert http.post(url, "{}", timeout_seconds=2) == http.Response(200, b"{}")
        assert len(accepted) == 1
