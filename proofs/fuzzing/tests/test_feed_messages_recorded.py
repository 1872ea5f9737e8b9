"""What the parsers make of a hostile message stands in the database: as a quote, as a rejected message, or counted."""

import logging

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from coruscant import clock
from pricing.feeds import FEEDS
from pricing.ingest import poll
from pricing.ingest.record import record_batch
from pricing.markets import Market
from pricing.models import Feed, PriceQuote, RejectedMessage
from pricing.tests.builders import message
from proofs.fuzzing.strategies import events


@pytest.mark.django_db
@pytest.mark.parametrize("market", list(Market))
def test_every_message_has_one_outcome_and_what_is_refused_is_shown(market, clean_cache, caplog):
    sent = 0

    @settings(
        max_examples=15,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        derandomize=True,
    )
    @given(st.lists(events(market), min_size=1, max_size=10))
    def record(bodies):
        nonlocal sent
        now = clock.now()
        counts = record_batch(FEEDS[market], [message(body, now) for body in bodies], now, now)
        poll.announce(quotes=bool(counts["quotes"]))
        sent += len(bodies)
        assert counts.total() == len(bodies)

    with caplog.at_level(logging.WARNING):
        record()
    feed = Feed.objects.get(market=market)
    assert feed.received == sent == feed.quotes + feed.duplicates + feed.skipped + feed.rejected
    assert feed.quotes == PriceQuote.objects.count() > 0
    assert feed.rejected == RejectedMessage.objects.count() > 0
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    logged = {line["message_id"] for line in lines if line["event"] == "message_rejected"}
    assert logged == set(RejectedMessage.objects.values_list("message_id", flat=True))
    assert all(RejectedMessage.objects.values_list("reason", flat=True))
