"""Answers that are longer than what is kept of one, to clients that take their time, by a worker with one thread."""

import http.client
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event

import pytest

from coruscant.web.tests import endless
from local.processes import Web, with_this_python
from local.stack.listening import on_a_free_port, wait_until_listening
from local.stack.process import ChildProcess

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The port and the log of gunicorn with one thread, which gives a client a second."""
    log_path = tmp_path_factory.mktemp("sending") / "web.log"

    def start(port):
        command = Web(processes=1, threads=1, grace_seconds=5).command(
            f"127.0.0.1:{port}", "--no-control-socket", application="coruscant.web.tests.endless"
        )
        web = ChildProcess("web", with_this_python(command), log_path=log_path, environment=dict(os.environ))
        web.start()
        wait_until_listening(web, port)
        return port, web

    port, web = on_a_free_port(start)
    yield port, log_path
    web.stop()


def get(port, path="/"):
    """A client that has read the head of an answer."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    client.request("GET", path)
    return client.getresponse()


def seconds_until_the_next_is_answered(port):
    begun = time.monotonic()
    assert get(port, "/short").read() == b"short"
    return time.monotonic() - begun


def test_a_client_that_trickles_does_not_keep_its_thread(server):
    port, log_path = server
    answer, answered = get(port), Event()

    def trickle():
        taken = 0
        while not answered.is_set():
            taken += len(answer.read1(1024))
            time.sleep(0.02)
        with suppress(OSError):  # a reset, or the end of what had been sent
            while found := answer.read1():
                taken += len(found)
        return taken

    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(trickle)
        try:
            assert 0.5 < seconds_until_the_next_is_answered(port) < 8
        finally:
            answered.set()
        assert 1024 < taken.result() < endless.LENGTH
    assert "Gave up an answer to ip=127.0.0.1: it was taken too slowly" in log_path.read_text()
    assert "Traceback" not in log_path.read_text()


def test_a_client_that_takes_its_time_and_yet_enough_gets_all(server):
    port, _log_path = server
    answer = get(port)
    for _pause in range(4):
        time.sleep(0.5)
        assert len(answer.read(endless.LENGTH // 4)) == endless.LENGTH // 4
    assert answer.read() == b""
