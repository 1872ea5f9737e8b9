"""What waits is the same to Prometheus as to a person."""

import re

import pytest

from liquidation.sell import sell
from loans.events.tests.support import name_topic

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("asked_in_turn")]
SAME = {
    "priceAge.mos_espa": 'coruscant_price_age_seconds{market="mos_espa"}',
    "oldestUnsettled": "coruscant_liquidations_unsettled_seconds",
    "outboxLag": "coruscant_events_unsent_seconds",
    "loanEventsLag": "coruscant_loan_events_unsent_seconds",
}


def test_metrics_and_the_health_of_the_business_say_the_same(client, time_passes, claimed, markets):
    name_topic()
    sell(claimed("25").pk)
    time_passes(seconds=20)
    claimed("25")
    time_passes(seconds=10)
    figures = client.get("/health/business").json()["figures"]
    text = client.get("/metrics").content.decode()
    scraped = {name: float(re.search(rf"^{re.escape(SAME[name])} (\S+)", text, re.MULTILINE)[1]) for name in SAME}
    assert {name: figures[name] for name in SAME} == scraped
    assert (scraped["oldestUnsettled"], scraped["outboxLag"]) == (10, 30)
