"""The wire between service and endpoint, each way it can fail."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from proofs.chaos.proxy import Mode, Proxy


class Endpoint(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    heard: list[tuple[str, bytes]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append((self.path, body))
        self.send_response(201)
        self.send_header("X-Told", "yes")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    Endpoint.heard = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made = Proxy(f"http://127.0.0.1:{server.server_port}")
        made.start()
        yield made
        made.stop()
        server.shutdown()


def ask(proxy: Proxy, session: requests.Session | None = None, seconds: float = 5) -> requests.Response:
    return (session or requests).post(f"{proxy.url}/a/b?c=d", data=b"\x00price", timeout=seconds)


def test_request_and_answer_pass_unchanged(proxy):
    answer = ask(proxy)
    assert (answer.status_code, answer.content, answer.headers["X-Told"]) == (201, b"\x00price", "yes")
    assert Endpoint.heard == [("/a/b?c=d", b"\x00price")]


def test_refusing_it_is_as_if_nobody_listened_and_open_connections_are_reset(proxy):
    with requests.Session() as session:
        ask(proxy, session)
        proxy.set_mode(Mode.REFUSE)
        with pytest.raises(requests.ConnectionError):
            ask(proxy, session)
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", proxy.port)) != 0
        proxy.set_mode(Mode.PASS)
        assert ask(proxy, session).status_code == 201
    assert len(Endpoint.heard) == 2


def test_hanging_it_takes_requests_and_never_answers_them_even_afterwards(proxy):
    ended: list[float] = []

    def wait() -> None:
        with pytest.raises(requests.Timeout):
            ask(proxy, seconds=2)
        ended.append(time.monotonic())

    proxy.set_mode(Mode.HANG)
    began = time.monotonic()
    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.3)
    proxy.set_mode(Mode.PASS)
    assert ask(proxy).status_code == 201
    waiting.join(10)
    assert ended[0] - began >= 1.9
    assert len(Endpoint.heard) == 1


def test_failing_it_answers_500_and_passes_nothing_on(proxy):
    proxy.set_mode(Mode.FAIL)
    assert ask(proxy).status_code == 500
    assert Endpoint.heard == []
    assert proxy.counts[Mode.FAIL] == 1


def test_forgetting_it_passes_the_request_on_and_loses_the_answer(proxy):
    proxy.set_mode(Mode.FORGET)
    with pytest.raises(requests.ConnectionError):
        ask(proxy)
    assert len(Endpoint.heard) == 1


def test_endpoint_that_is_gone_looks_like_a_lost_connection(proxy):
    proxy.endpoint = "http://127.0.0.1:1"
    with pytest.raises(requests.ConnectionError):
        ask(proxy)
