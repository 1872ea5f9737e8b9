"""What a representative sees of quotes, of messages that could not be understood, and of the feeds."""

from datetime import UTC, datetime
from decimal import Decimal

from pricing.models import PriceQuote, RejectedMessage

THEN = datetime(2026, 5, 4, 10, 30, tzinfo=UTC)


def test_the_feeds_are_listed_by_market(browser):
    text = browser.get("/admin/pricing/feed/").content.decode()
    assert "Mos Espa, Tatooine" in text


def test_a_quote_shows_its_curves_and_whether_it_was_evaluated(browser):
    quote = PriceQuote.objects.get()
    text = browser.get(f"/admin/pricing/pricequote/{quote.pk}/change/").content.decode()
    assert "100 units: 50 GC a unit" in text
    assert "not evaluated yet" in text
    PriceQuote.objects.update(too_late=True, evaluated_at=THEN)
    assert "too late" in browser.get("/admin/pricing/pricequote/").content.decode()


def test_a_quote_shows_what_its_evaluation_found(browser):
    quote = PriceQuote.objects.get()
    page = f"/admin/pricing/pricequote/{quote.pk}/change/"
    assert "2026-05-04" not in browser.get(page).content.decode()
    PriceQuote.objects.update(effective_from=THEN, alone="rise", confirmed_by="mos_espa:e-7")
    text = browser.get(page).content.decode()
    for found in ("2026-05-04 10:30:00 UTC", "Rise", "mos_espa:e-7"):
        assert found in text


def test_a_quote_without_levels_is_shown(browser):
    PriceQuote.objects.update(sell=[], buy=[], market_time=Decimal("1.500000000000"))
    quote = PriceQuote.objects.get()
    assert "1.5 s" in browser.get(f"/admin/pricing/pricequote/{quote.pk}/change/").content.decode()


def test_a_rejected_message_is_shown_with_all_that_is_kept_and_harmless(browser):
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


def test_a_rejected_message_whose_body_has_expired_says_so_and_keeps_its_digest(browser):
    message = RejectedMessage.objects.create(
        market="mos_espa", queue="q", message_id="m", body="", body_sha256="5" * 64, sent_at=THEN, received_at=THEN
    )
    text = browser.get(f"/admin/pricing/rejectedmessage/{message.pk}/change/").content.decode()
    assert "Not kept" in text
    assert "5" * 64 in text
