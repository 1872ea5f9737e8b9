"""Servers whose port is taken between choosing it and listening on it."""

import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.stack import ChildProcess, EmbeddedStack, EmbeddedStackError
from local.stack.listening import PortTakenError, listens, on_a_free_port, wait_until_listening
from local.stack.ports import LOOPBACK, free_port
from local.stack.postgres import PostgresServer
from local.stack.server import Server
from local.stack.sns_sqs import SnsSqsServer
from local.stack.valkey import ValkeyServer


@contextmanager
def taken_port(port: int = 0) -> Iterator[int]:
    """Listen on a port, as somebody else would who was faster."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((LOOPBACK, port))
        other.listen()
        yield other.getsockname()[1]


def chosen_in_turn(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    """Have servers choose these ports, in this order."""
    monkeypatch.setattr("local.stack.server.free_port", iter(ports).__next__)


def http_server(port: int, folder: Path) -> ChildProcess:
    """Describe a web server of Python's own."""
    command = [sys.executable, "-m", "http.server", str(port), "--bind", LOOPBACK]
    return ChildProcess("http", command, log_path=folder / "http.log", folder=folder, grace_seconds=1)


@pytest.mark.parametrize("kind", [PostgresServer, ValkeyServer, SnsSqsServer])
def test_a_server_whose_port_was_taken_moves_to_another(
    kind: type[Server], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with taken_port() as taken:
        free = free_port()
        chosen_in_turn(monkeypatch, taken, free)
        server = kind(folder / "data", folder)
        assert server.port == taken
        try:
            server.start()
            assert server.port == free
            server.kill()
            server.start()
            assert server.port == free
        finally:
            server.kill()


def test_a_stack_tells_the_ports_that_its_servers_moved_to(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with taken_port() as taken:
        chosen_in_turn(monkeypatch, taken, taken, taken, *(free_port() for _ in range(3)))
        with EmbeddedStack(folder=folder, durable=False) as stack:
            assert not any(f":{taken}" in value for value in stack.environment.values())
            listed = stack.processes.path.read_text()
            assert all(f'"pid": {server.pid},' in listed for server in stack.servers)


def test_another_server_of_the_same_kind_is_not_mistaken_for_ours(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ValkeyServer(folder / "first", folder / "first-logs")
    first.start()
    free = free_port()
    chosen_in_turn(monkeypatch, first.port, free)
    second = ValkeyServer(folder / "second", folder / "second-logs")
    try:
        second.start()
        assert second.port == free
    finally:
        first.kill()
        second.kill()


def test_a_server_that_is_started_again_waits_for_its_port(folder: Path) -> None:
    server = ValkeyServer(folder / "data", folder)
    server.start()
    port = server.port
    server.stop()
    try:
        with taken_port(port):
            starting = threading.Thread(target=server.start)
            starting.start()
            time.sleep(0.5)
        starting.join(20)
        assert listens(server.process, port)
        assert server.port == port
    finally:
        server.kill()


def test_a_server_that_finds_every_port_taken_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with taken_port() as taken:
        monkeypatch.setattr("local.stack.server.free_port", lambda: taken)
        with pytest.raises(PortTakenError, match=f"valkey cannot listen: another process has taken port {taken}"):
            ValkeyServer(folder / "data", folder).start()


def test_a_process_is_started_again_until_its_port_is_free(folder: Path) -> None:
    def start(port: int) -> tuple[ChildProcess, int]:
        process = http_server(port, folder)
        process.start()
        wait_until_listening(process, port, 20)
        return process, port

    with taken_port() as taken:
        free = free_port()
        process, port = on_a_free_port(start, iter([taken, taken, free]).__next__)
        assert port == free
        assert listens(process, free)
        assert not listens(process, taken)
        process.stop()


def test_a_process_that_ends_for_another_reason_is_not_started_again(folder: Path) -> None:
    process = ChildProcess("broken", ["sh", "-c", "echo no such setting; exit 3"], log_path=folder / "broken.log")
    process.start()
    with pytest.raises(EmbeddedStackError, match="broken ended with code 3 at its start") as caught:
        wait_until_listening(process, 1, 20)
    assert not isinstance(caught.value, PortTakenError)
    assert "no such setting" in str(caught.value)


def test_a_process_that_never_listens_is_stopped_when_its_time_is_up(folder: Path) -> None:
    process = ChildProcess("sleeper", ["sleep", "60"], log_path=folder / "sleeper.log")
    process.start()
    with pytest.raises(EmbeddedStackError, match="sleeper did not listen within 0 s"):
        wait_until_listening(process, 1, 0.1)
    assert not process.running
