"""`manage.py doctor` says what is wrong and what to do, and its exit code says whether anything is."""

from io import StringIO

import pytest
from django.core.management import call_command

from liquidation.monitoring import doctor
from liquidation.monitoring.doctor.trouble import Trouble


def weak():
    raise Trouble("It is weak.", "Strengthen it.", only_with_real_money=True)


def run(monkeypatch, checks):
    monkeypatch.setattr(doctor, "CHECKS", checks)
    said = StringIO()
    call_command("doctor", stdout=said, stderr=said)
    return said.getvalue()


def test_without_trouble_it_ends_well(monkeypatch):
    said = run(monkeypatch, {"one": lambda: "all is well", "two": weak})
    assert said == "ok   one: all is well\nnote two: It is weak.\n     Strengthen it.\n"


def test_trouble_ends_with_exit_code_1(monkeypatch, settings, capsys):
    settings.DEMO = False
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, {"two": weak})
    assert ended.value.code == 1
