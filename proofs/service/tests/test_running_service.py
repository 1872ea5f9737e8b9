"""The service's web process on a port that another process may take first."""

import os
import socket

import pytest

from local.stack.listening import listens
from local.stack.ports import LOOPBACK, free_port
from proofs.service.running_service import RunningService


@pytest.mark.parametrize(
    "web",
    [
        lambda port: ("http.server", str(port), "--bind", LOOPBACK),
        lambda port: ("gunicorn", "benchmarks.bare.wsgi", "--bind", f"{LOOPBACK}:{port}", "--no-control-socket"),
        lambda port: (
            *("gunicorn", "benchmarks.bare.wsgi", "--bind", f"{LOOPBACK}:{port}", "--no-control-socket"),
            "--reuse-port",
        ),
    ],
    ids=["http.server", "gunicorn", "gunicorn that shares its port"],
)
def test_the_web_moves_when_its_port_was_taken(web, stack, monkeypatch):
    free = free_port()
    with socket.socket() as other:
        other.bind((LOOPBACK, free_port()))
        other.listen()
        monkeypatch.setattr("local.stack.listening.free_port", iter([other.getsockname()[1], free]).__next__)
        service = RunningService(stack, None, None)
        service.describe(lambda port: {"web-1": web(port)}, os.environ)
        monkeypatch.setattr(service, "wait_for_the_api", lambda: None)
        try:
            service.start()
            assert service.port == free
            assert listens(service.processes["web-1"], free)
        finally:
            for process in service.processes.values():
                process.kill()
