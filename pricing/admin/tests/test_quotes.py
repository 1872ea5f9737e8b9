"""What a representative sees of quotes."""

from datetime import UTC, datetime
from decimal import Decimal

from pricing.models import PriceQuote

THEN = datetime(2026, 5, 4, 10, 30, tzinfo=UTC)


def test_a_quote_shows_its_curves_and_whether_it_was_evaluated(browser):
    quote = PriceQuote.objects.get()
    text = browser.get(f"/admin/pricing/pricequote/{quote.pk}/change/").content.decode()
    assert "100 units: 50 GC a unit" in text
    assert "not evaluated yet" in text
    PriceQuote.objects.update(too_late=True, evaluated_at=THEN)
    assert "too late" in browser.get("/admin/pricing/pricequote/").content.decode()


def test_a_quote_without_levels_is_shown(browser):
    PriceQuote.objects.update(sell=[], buy=[], market_time=Decimal("1.500000000000"))
    quote = PriceQuote.objects.get()
    assert "1.5 s" in browser.get(f"/admin/pricing/pricequote/{quote.pk}/change/").content.decode()
