"""Invariants are checked a few at a time, each as often as it should be."""

import time

import pytest
from django.core.cache import cache

from liquidation import invariants
from liquidation.invariants import Invariant
from liquidation.monitoring import invariant_checks
from pricing.markets import Market
from pricing.models import Feed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


def unchecked():
    return invariant_checks.unchecked(invariant_checks.last())


ALL = len(invariants.every(at_every_moment=True))


def test_each_is_checked_once_and_again_when_its_time_has_come(monkeypatch):
    assert unchecked() == ALL
    assert invariant_checks.check_due() == ALL
    assert invariant_checks.check_due() == 0
    assert {one.violations for one in invariant_checks.last()} == {0}
    assert unchecked() == 0
    now = time.time
    monkeypatch.setattr(invariant_checks.time, "time", lambda: now() + 3601)
    assert unchecked() == 0
    assert invariant_checks.check_due() == ALL


def test_one_that_is_broken_is_kept_and_logged(caplog):
    Feed.objects.create(market=Market.MOS_ESPA, received=1, quotes=1)
    invariant_checks.check_due()
    assert [(one.name, one.violations) for one in invariant_checks.last() if one.violations] == [("I10", 1)]
    assert "invariant_broken" in caplog.text


def test_one_that_is_broken_is_checked_again_at_once():
    Feed.objects.create(market=Market.MOS_ESPA, received=1, quotes=1)
    invariant_checks.check_due()
    Feed.objects.all().delete()
    assert invariant_checks.check_due() == 1
    assert {one.violations for one in invariant_checks.last()} == {0}


def test_one_that_takes_too_long_has_no_result_and_does_not_keep_the_others_from_theirs(monkeypatch):
    slow = Invariant("slow", "never ends", "SELECT 1 FROM pg_sleep(2)")
    quick = Invariant("quick", "ends", "SELECT 1 WHERE false")
    monkeypatch.setattr(invariants, "every", lambda **_which: [slow, quick])
    monkeypatch.setattr(invariant_checks, "_LONGEST_CHECK_SECONDS", 0.02)
    assert invariant_checks.check_due() == 2
    assert {one.name: one.violations for one in invariant_checks.last()} == {"slow": None, "quick": 0}
    assert unchecked() == 1


def test_a_check_that_takes_too_long_leaves_what_was_found_before(monkeypatch):
    Feed.objects.create(market=Market.MOS_ESPA, received=1, quotes=1)
    invariant_checks.check_due()
    monkeypatch.setattr(invariant_checks, "_violations", lambda invariant: None)
    assert invariant_checks.check_due() == 1
    assert [(one.name, one.violations) for one in invariant_checks.last() if one.violations] == [("I10", 1)]
    assert unchecked() == 0


def test_a_broken_one_does_not_keep_the_others_from_their_turn(monkeypatch):
    tried = []
    known = {one.name: (2.0, 2.0, 0) for one in invariants.every(at_every_moment=True)} | {"I10": (1e12, 1e12, 1)}
    cache.set(invariant_checks._KEY, known)
    monkeypatch.setattr(invariant_checks, "_violations", lambda invariant: tried.append(invariant.name))
    invariant_checks.check_due()
    assert tried[-1] == "I10"
    assert len(tried) == ALL


def test_without_the_cache_none_is_checked(settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    assert invariant_checks.check_due() == 0
    assert unchecked() == ALL


def test_a_run_that_took_long_leaves_the_rest_to_the_next(monkeypatch):
    monkeypatch.setattr(invariant_checks, "_LONGEST_RUN_SECONDS", -1.0)
    assert invariant_checks.check_due() == 0
    assert unchecked() == ALL
