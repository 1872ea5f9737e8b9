"""Which alerts fired, and after how many seconds of the fault."""

import time

import pytest
import yaml

from proofs.chaos import alarms
from proofs.chaos.alarms import Alarms
from proofs.chaos.faults import ALARMS


class Fires:
    """A Prometheus in which each alert has first fired some seconds ago."""

    def __init__(self, **ago):
        self.ago = ago

    def first_fired(self, name, seconds):
        ago = self.ago.get(name)
        return ago if ago is not None and ago <= seconds else None


@pytest.fixture
def watched(tmp_path, monkeypatch):
    made = Alarms(tmp_path, tmp_path)
    monkeypatch.setattr(alarms, "AFTER_SECONDS", 0.05)
    monkeypatch.setattr(made, "_server", Fires(Old=500.0, BeatSilent=20.0))
    return made


def test_what_fired_is_told_by_how_long_after_the_fault_began(watched):
    assert watched.wait_for({"BeatSilent"}, time.monotonic() - 50, lambda: None) == {
        "BeatSilent": pytest.approx(30, 0.1)
    }


@pytest.mark.parametrize("alert", ["Never", "Old"])
def test_what_has_not_fired_since_then_is_waited_for_and_then_missed(watched, alert):
    waits = []
    assert watched.wait_for({alert}, time.monotonic() - 50, lambda: waits.append(alert)) == {alert: None}
    assert waits


def test_where_nobody_looks_nothing_is_missed(tmp_path):
    nobody = Alarms(tmp_path, tmp_path)
    assert not nobody.watched
    assert nobody.wait_for({"BeatSilent"}, 0.0, lambda: None) == {}
    nobody.stop()


def test_every_alert_is_made_to_fire_by_the_fault_that_it_is_for():
    groups = yaml.safe_load(alarms.RULES.read_text())["groups"]
    rules = {rule["alert"] for group in groups for rule in group["rules"]}
    assert set().union(*(fault.alerts | fault.alerts_if_left for fault in ALARMS.values())) == rules
