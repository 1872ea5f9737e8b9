"""Which quotes the price now is computed from."""

from decimal import Decimal

import pytest

from pricing import best_price
from pricing.tests.builders import BLACK_SPIRE, MOS_ESPA, at
from pricing.tests.rows import quote_row

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


def test_an_older_event_does_not_replace_a_fresh_one(moving_clock):
    quote_row(MOS_ESPA, -20, "50", market_time=Decimal(10**11))
    quote_row(MOS_ESPA, -10, "40")
    assert best_price.current().price == Decimal(50)
    moving_clock.now = at(39.9)
    assert best_price.refresh().price == Decimal(50)


def test_the_reference_is_the_event_id_or_else_the_message_id(moving_clock):
    quote_row(MOS_ESPA, -1, "50", event_id="e-7")
    quote_row(BLACK_SPIRE, -1, "40", message_id="m-7")
    assert [q.reference for q in best_price.current().quotes] == ["e-7", "m-7"]
