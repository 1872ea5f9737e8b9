"""How long things took lately, by the rows."""

import re
from datetime import timedelta

import pytest

from coruscant import clock
from liquidation.models import LiquidationEvent, OrderAnswer
from liquidation.monitoring.figures import families
from liquidation.monitoring.recent import NEWEST, figures
from liquidation.sell import sell
from pricing.models import PriceQuote

pytestmark = pytest.mark.django_db


def samples():
    found = {}
    for family in families(figures()):
        for sample in family.samples:
            labels = ",".join(sample.labels.values())
            found[re.sub("^coruscant_", "", sample.name) + (f"{{{labels}}}" if labels else "")] = sample.value
    return found


def test_without_rows_there_are_no_durations():
    assert samples() == {"recent_claims": 0, "recent_settlements": 0}


def test_every_metric_says_of_how_many_rows_it_is_at_most():
    limit = f"in the last five minutes, of the newest {NEWEST}"
    assert [family.name for family in families(figures()) if limit not in family.documentation] == []


def test_a_sale_is_seen_from_the_tick_to_the_settlement(claimed, markets):
    liquidation = claimed("25")
    markets.price = dict.fromkeys(markets.price, 20)
    sell(liquidation.pk)
    PriceQuote.objects.update(evaluated_at=clock.now())
    found = samples()
    assert (found["recent_claims"], found["recent_settlements"]) == (1, 1)
    assert found["recent_verdicts{mos_espa,filled}"] >= 1
    assert found["recent_verdicts{mos_espa,refused}"] == 0
    assert found["recent_answers{mos_espa,success}"] == found["recent_verdicts{mos_espa,filled}"]
    assert found["slippage{mos_espa}"] == pytest.approx(0.2)
    for name in ("tick_to_claim", "evaluation", "time_to_settle"):
        assert 0 <= found[f"{name}_seconds{{0.5}}"] <= found[f"{name}_seconds{{1.0}}"] < 60
    assert 0 < found["order_latency_seconds{mos_espa,1.0}"] < 60


def test_answers_that_prove_nothing_are_of_one_kind(claimed, markets):
    liquidation = claimed("25")
    markets.then(500)
    sell(liquidation.pk)
    found = samples()
    assert found["recent_answers{mos_espa,unclear}"] == 1
    assert found["recent_verdicts{mos_espa,filled}"] == 0
    assert "slippage{mos_espa}" not in found


def test_what_is_older_than_five_minutes_does_not_count(claimed, markets):
    liquidation = claimed("25")
    sell(liquidation.pk)
    then = clock.now() - timedelta(minutes=6)
    type(liquidation).objects.update(claimed_at=then)
    LiquidationEvent.objects.update(created_at=then)
    PriceQuote.objects.update(evaluated_at=then)
    found = samples()
    assert (found["recent_claims"], found["recent_settlements"]) == (0, 0)
    assert OrderAnswer.objects.exists()
    assert not [name for name in found if name.startswith(("tick", "evaluation", "time"))]
