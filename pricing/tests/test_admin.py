"""What a representative sees of prices."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from coruscant.tests.bank import make_representative, set_price
from pricing.models import PriceQuote, RejectedMessage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]

THEN = datetime(2026, 5, 4, 10, 30, tzinfo=UTC)


@pytest.fixture
def browser(client):
    set_price("50")
    client.force_login(make_representative())
    return client


def test_a_rejected_message_is_shown_whole_and_harmless(browser):
    body = '{"levels": "<script>alert(1)</script>", "n": 1e400}' + "x" * 5000
    message = RejectedMessage.objects.create(
        market="mos_espa",
        queue="q",
        message_id="m",
        body=body,
        reason="levels: not a list",
        sent_at=THEN,
        received_at=THEN,
    )
    text = browser.get(f"/admin/pricing/rejectedmessage/{message.pk}/change/").content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;, &quot;n&quot;: 1e400}" + "x" * 5000 in text
    assert "levels: not a list" in text
    assert "levels: not a list" in browser.get("/admin/pricing/rejectedmessage/").content.decode()


def test_a_quote_shows_its_curves_and_its_fate(browser):
    quote = PriceQuote.objects.get()
    text = browser.get(f"/admin/pricing/pricequote/{quote.pk}/change/").content.decode()
    assert "100 units: 50 GC a unit" in text
    assert "not swept yet" in text
    PriceQuote.objects.update(too_late=True, evaluated_at=THEN)
    assert "too late" in browser.get("/admin/pricing/pricequote/").content.decode()


def test_a_quote_without_levels_is_shown(browser):
    PriceQuote.objects.update(sell=[], buy=[], market_time=Decimal("1.500000000000"))
    quote = PriceQuote.objects.get()
    assert "1.5 s" in browser.get(f"/admin/pricing/pricequote/{quote.pk}/change/").content.decode()


def test_the_feeds_count_the_fate_of_every_message(browser):
    text = browser.get("/admin/pricing/feed/").content.decode()
    assert "Mos Espa, Tatooine" in text


def test_the_dashboard_shows_the_best_price_and_its_market(browser):
    text = browser.get("/admin/").content.decode()
    assert "50 GC" in text
    assert "a unit, Mos Espa, Tatooine" in text
