"""In which order the machine room starts what it runs."""

from types import SimpleNamespace

import pytest
import requests

from local.demo.machine_room import MachineRoom


class Programs:
    """Names instead of processes."""

    def markets(self):
        return ["markets"]

    def webs(self):
        return ["web"]

    def otc(self):
        return "otc"

    def behind_the_web(self):
        return ["workers"]


@pytest.fixture
def room(monkeypatch):
    """A room that starts names, in a world whose OTC service listens from its third report on."""
    monkeypatch.setattr("local.demo.machine_room.LOOK_SECONDS", 0)
    made, asked = MachineRoom.__new__(MachineRoom), []

    def report():
        asked.append("report")
        made.started.append(f"report {len(asked)}")
        return {"listening": len(asked) > 2}

    made.started = []
    made.programs = Programs()
    made.supervisor = SimpleNamespace(start=made.started.extend, look=list)
    made.world = SimpleNamespace(market_state=str, otc_report=report)
    made._tell = str
    made.ask_api = str
    return made


def test_nobody_sells_before_the_otc_service_listens(room):
    room.open()
    assert room.started == ["markets", "web", "otc", "report 1", "report 2", "report 3", "workers"]


def test_an_otc_service_that_does_not_listen_yet_is_no_answer(room):
    with pytest.raises(requests.RequestException, match="not yet subscribed"):
        room.ask_whether_the_otc_service_listens()
