"""The order in which a demo starts its processes, and what it does when a port is taken."""

import socket
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

from local.demo.running_demo import RunningDemo
from local.demo.settings import Addresses
from local.demo.supervisor import Supervisor
from local.stack import ChildProcess
from local.stack.listening import listens
from local.stack.ports import LOOPBACK, free_port


class Programs:
    """Names instead of processes."""

    def market(self, name):
        return name

    def webs(self):
        return ["web"]

    def otc(self):
        return "otc"

    def workers_and_beats(self):
        return ["workers"]

    def flower(self):
        return "flower"


@pytest.fixture
def demo(monkeypatch):
    """A demo that starts names, with an OTC service that listens from its third report on."""
    monkeypatch.setattr("local.demo.running_demo.CHECK_SECONDS", 0)
    monkeypatch.setattr("local.demo.running_demo.wait_until_listening", lambda *_: None)
    made, asked = RunningDemo.__new__(RunningDemo), []

    def report():
        asked.append("report")
        made.started.append(f"report {len(asked)}")
        return {"listening": len(asked) > 2}

    made.started = []
    made.programs = Programs()
    made.addresses = Addresses(1, 2, 3, 4, 5)
    made.supervisor = SimpleNamespace(start=made.started.extend, look=list)
    made.simulators = SimpleNamespace(market_state=str, otc_report=report)
    made._report = str
    made.check_api = str
    return made


def test_no_worker_starts_before_the_otc_service_listens(demo):
    demo.start()
    reports = ["report 1", "report 2", "report 3"]
    assert demo.started == ["mos_espa", "black_spire_outpost", "web", "otc", *reports, "workers", "flower"]


def test_an_otc_service_that_does_not_listen_yet_is_waited_for(demo):
    with pytest.raises(requests.RequestException, match="not yet subscribed"):
        demo.check_otc_service_listens()


def test_the_environment_is_that_of_the_start_but_for_a_market_that_moved(tmp_path, monkeypatch):
    monkeypatch.delenv("LOG_LEVEL", raising=False)
    options = SimpleNamespace(port=4000, folder=tmp_path)
    stack = SimpleNamespace(environment={"DATABASE_URL": "postgres://nowhere"}, log_folder=tmp_path)
    demo = RunningDemo(options, stack, str)
    monkeypatch.setenv("LOG_LEVEL", "CRITICAL")  # as the chaos proof sets it for itself
    before = demo.environment
    demo.addresses.move("mos_espa")
    moved = demo.addresses.url("mos_espa")
    assert demo.environment == before | {"MOS_ESPA_URL": moved}
    assert before["MOS_ESPA_URL"] != moved
    assert "LOG_LEVEL" not in before


def test_an_address_whose_port_was_taken_meanwhile_moves_to_the_next_free_port(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((LOOPBACK, free_port()))
        other.listen()
        taken = other.getsockname()[1]
        demo = RunningDemo.__new__(RunningDemo)
        demo.addresses = Addresses(taken, 2, 3, 4, 5)  # chosen, and taken by another process before the start
        demo.supervisor = Supervisor(tmp_path / "processes.json")

        def describe() -> list[ChildProcess]:
            command = [sys.executable, "-m", "http.server", str(demo.addresses.web), "--bind", LOOPBACK]
            return [ChildProcess("web", command, log_path=tmp_path / "log", folder=tmp_path, grace_seconds=1)]

        try:
            demo.start_listening("web", describe)
            assert demo.addresses.web > taken
            assert listens(demo.supervisor.kept["web"].process, demo.addresses.web)
            assert not demo.supervisor.restarts
        finally:
            demo.supervisor.stop()
