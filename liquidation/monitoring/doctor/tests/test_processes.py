"""Who is missing, and what is broken in the books."""

import time

import pytest

from coruscant.monitoring import signs_of_life
from coruscant.monitoring.signs_of_life import BEAT
from liquidation.monitoring import invariant_checks
from liquidation.monitoring.doctor import processes
from liquidation.monitoring.doctor.trouble import Trouble
from pricing.markets import Market
from pricing.models import Feed

pytestmark = pytest.mark.usefixtures("clean_cache")


def trouble(check):
    with pytest.raises(Trouble) as raised:
        check()
    assert raised.value.remedy
    return raised.value.found


def test_a_beat_that_never_was_or_is_silent_is_found(monkeypatch):
    assert trouble(processes.a_beat_runs) == "No beat runs; none has given a sign of life."
    signs_of_life.give([BEAT], "beat")
    assert processes.a_beat_runs() == "1 at work"
    assert processes.nobody_has_fallen_silent() == "none"
    now = time.time
    monkeypatch.setattr(signs_of_life.time, "time", lambda: now() + 60)
    assert trouble(processes.a_beat_runs) == "No beat runs; the last sign of one was 60 s ago."
    assert "1 of beat" in trouble(processes.nobody_has_fallen_silent)


def test_a_queue_without_a_worker_is_named():
    signs_of_life.give(["prices", "risk", "maintenance"], "one@here")
    assert trouble(processes.every_queue_has_a_worker) == "No worker takes tasks from liquidations, events, replay."
    signs_of_life.give(["liquidations", "events", "replay"], "all@here")
    assert "1 for liquidations" in processes.every_queue_has_a_worker()


@pytest.mark.django_db
def test_an_invariant_that_is_broken_is_named():
    assert processes.no_invariant_is_broken().startswith("0 hold")
    Feed.objects.create(market=Market.MOS_ESPA, received=1, quotes=1)
    invariant_checks.check_due()
    assert trouble(processes.no_invariant_is_broken) == "Broken: I10."
