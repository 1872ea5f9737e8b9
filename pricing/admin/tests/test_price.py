"""What a representative sees of the best price, on the overview and on top of every page."""

from datetime import UTC, datetime
from unittest.mock import Mock

import pytest
from django.contrib import messages
from django.core.cache import cache
from django.urls import reverse

from coruscant import clock
from coruscant.admin.tests.bank import make_bank, set_price
from pricing import best_price
from pricing.models import PriceQuote
from pricing.tests.builders import BLACK_SPIRE
from pricing.tests.rows import quote_row


@pytest.fixture
def bank(browser):
    return make_bank()


def test_the_overview_shows_the_best_price_and_its_market(browser):
    text = browser.get("/admin/").content.decode()
    assert "50.00</span> <small>GC a unit</small>" in text
    assert "Mos Espa · markets" in text or "Mos Espa</p>" in text


def test_without_a_live_price_every_page_has_a_banner(bank, browser):
    loans, loan = reverse("admin:loans_loan_changelist"), (bank.active.pk,)
    assert "No live price" not in browser.get(reverse("admin:index")).content.decode()
    set_price(None)
    for url in (
        reverse("admin:index"),
        reverse("admin:loans_loan_change", args=loan),
        loans,
        reverse("admin:loans_loan_history", args=loan),
    ):
        assert "No live price: no market has been heard yet" in browser.get(url).content.decode(), url


def test_the_banner_says_since_when(browser):
    PriceQuote.objects.update(sent_at=datetime(2026, 5, 4, 10, 30, tzinfo=UTC))
    best_price.refresh()
    text = browser.get(reverse("admin:index")).content.decode()
    assert "No live price: nothing new is claimed since 2026-05-04 10:31:00 UTC" in text


def test_every_page_says_how_far_two_live_markets_are_apart(bank, browser):
    pages = "/admin/", reverse("admin:loans_loan_changelist"), reverse("admin:loans_loan_change", args=(bank.new.pk,))

    def notes_on(url):
        shown = browser.get(url).context  # (the overview has banners and notes in the part that refreshes itself)
        return [str(one) for one in (*shown["messages"], *shown.get("notices", ())) if one.level == messages.INFO]

    for url in pages:
        assert notes_on(url) == [], "with one market there is nothing to compare"
    for price, apart in (("48.5", "3.09 %"), ("50", "0.00 %"), ("20", "150.00 %")):
        PriceQuote.objects.filter(market=BLACK_SPIRE).delete()
        quote_row(BLACK_SPIRE, 0, price, sent_at=clock.now())
        cache.clear()
        for url in pages:
            assert notes_on(url) == [f"Markets {apart} apart"], url


def test_the_login_page_says_nothing_of_the_bank(client, db, clean_cache):
    set_price(None)
    assert "No live price" not in client.get(reverse("admin:login")).content.decode()


def test_the_best_price_is_read_once_a_page(bank, browser, monkeypatch):
    read = Mock(wraps=best_price.current)
    monkeypatch.setattr(best_price, "current", read)
    browser.get(reverse("admin:loans_loan_changelist"))
    assert read.call_count == 1
