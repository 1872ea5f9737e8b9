"""The doctor as a whole: it goes on whatever it finds, and says what to do."""

from liquidation.monitoring import doctor
from liquidation.monitoring.doctor import Finding
from liquidation.monitoring.doctor.trouble import Trouble


def fail():
    raise Trouble("It is broken.", "Mend it.")


def weak():
    raise Trouble("It is weak.", "Strengthen it.", only_with_real_money=True)


def impossible():
    raise ConnectionError("no\nanswer")


CHECKS = {"broken": fail, "weak": weak, "impossible": impossible, "fine": lambda: "all is well"}


def test_every_check_is_made_whatever_the_others_find():
    broken, weakness, failed, fine = doctor.examine(CHECKS)
    assert broken == Finding("broken", "It is broken.", "Mend it.")
    assert (weakness.accepted, weakness.is_trouble) == (True, False)
    assert failed.is_trouble
    assert failed.found == "could not be checked: ConnectionError: no answer"
    assert fine == Finding("fine", "all is well")


def test_with_real_money_a_weakness_is_trouble(settings):
    settings.DEMO = False
    assert [finding.name for finding in doctor.examine(CHECKS) if finding.is_trouble] == [
        "broken",
        "weak",
        "impossible",
    ]


def test_a_service_that_is_well_is_found_to_be(well):
    findings = list(doctor.examine())
    assert [finding.name for finding in findings] == list(doctor.CHECKS)
    assert [finding for finding in findings if finding.is_trouble] == []
    assert {finding.name for finding in findings if finding.accepted} <= {
        "settings", "Django's checks", "role", "cache", "broker"
    }  # fmt: skip
