"""What the page of prices says: which quotes count, what was missing, and what was not believed."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from coruscant import clock, history
from coruscant.admin.tests.bank import THEN, make_bank, set_price
from coruscant.controls.models import Control
from desk.prices.read import gaps, newest
from pricing.markets import Market
from pricing.models import HeldJump, PriceQuote

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


PAGE, FIGURES = reverse("desk:prices"), reverse("desk:prices_figures")


@pytest.fixture
def bank():
    return make_bank()


@pytest.fixture
def browser(client):
    client.force_login(User.objects.create_superuser("root"))
    return client


def add_quote(market: Market, sent_at: datetime, name: str, price: str = "50"):
    return PriceQuote.objects.create(
        market=market, message_id=name, market_time=Decimal(1), sent_at=sent_at, received_at=sent_at,
        sell=[["1", price], ["10", price], ["50", price]], buy=[],
    )  # fmt: skip


def test_live_quotes_are_shown_with_what_they_count_for(bank, browser):
    found = browser.get(PAGE).context["evidence"]
    quote = PriceQuote.objects.get()
    assert [(one.quote.id, one.price, one.counts) for one in found] == [(quote.pk, Decimal(50), "counts")]
    text = browser.get(PAGE).content.decode()
    assert f"/admin/pricing/pricequote/{quote.pk}/change/" in text
    assert "50.00" in text
    assert "never heard" in text, "the other market"


def test_the_newest_quotes_of_a_market_have_a_price_for_every_quantity_it_takes(bank):
    quote = add_quote(Market.BLACK_SPIRE_OUTPOST, clock.now(), "b-1", "44.5")
    (line,) = newest(Market.BLACK_SPIRE_OUTPOST)
    assert line.quote == quote
    assert line.prices == (Decimal("44.5"), Decimal("44.5"), Decimal("44.5"), None)


class TestGaps:
    @pytest.fixture(autouse=True)
    def no_quotes(self, db):
        set_price(None)

    def ages(self, *seconds_ago: int, market: Market = Market.MOS_ESPA) -> datetime:
        now = clock.now()
        for number in seconds_ago:
            add_quote(market, now - timedelta(seconds=number), f"{market}-{number}")
        return now

    def test_a_quote_that_lived_until_the_next_leaves_none(self):
        now = self.ages(180, 120, 60, 0)
        assert gaps(now) == []

    def test_a_gap_begins_when_the_last_quote_had_died(self):
        longest = django_settings.PRICE_MAX_AGE_SECONDS
        now = self.ages(1000, 10)
        (gap,) = gaps(now)
        assert (gap.market, gap.since, gap.until) == (
            Market.MOS_ESPA, now - timedelta(seconds=1000 - longest), now - timedelta(seconds=10)
        )  # fmt: skip
        assert gap.lasts == timedelta(seconds=990 - longest)

    def test_one_that_lasts_is_open(self):
        now = self.ages(1000)
        (gap,) = gaps(now)
        assert gap.until is None
        assert gap.lasts == timedelta(seconds=1000 - django_settings.PRICE_MAX_AGE_SECONDS)

    def test_the_markets_have_gaps_of_their_own_the_latest_first(self):
        self.ages(5000, 0)
        now = self.ages(3000, 0, market=Market.BLACK_SPIRE_OUTPOST)
        assert [gap.market for gap in gaps(now)] == [Market.BLACK_SPIRE_OUTPOST, Market.MOS_ESPA]

    def test_one_that_ended_in_the_last_24_hours_is_shown_and_an_older_one_is_not(self):
        now = self.ages(100_000, 90_000, 80_000, 79_990, 10)
        assert [gap.until for gap in gaps(now)] == [now - timedelta(seconds=number) for number in (10, 80_000)]


def test_what_was_rejected_not_believed_or_set_aside_is_on_the_page(bank, browser):
    HeldJump.objects.create(
        market="mos_espa", reference="e-9", sent_at=THEN, price=Decimal(10), against=Decimal(50), mode="on",
        outcome="expired", ended_at=THEN,
    )  # fmt: skip
    now = clock.now()
    with history.cause("test", correlation_id="aside"):
        Control.objects.create(
            kind="set_aside", market="mos_espa", began_at=now, until=now + timedelta(minutes=5), why="It lies.",
            pulled_by="nobody", two_people=True,
        )  # fmt: skip
    text = browser.get(PAGE).content.decode()
    for said in ("Expired", "not JSON", "It lies.", "Set aside until"):
        assert said in text, said


def test_a_person_sees_the_parts_that_they_may_see(bank, client):
    viewer = User.objects.create_user("viewer", is_staff=True)
    client.force_login(viewer)
    for page in (PAGE, FIGURES):
        assert client.get(page).status_code == 403
    viewer.user_permissions.add(Permission.objects.get(codename="view_pricequote"))
    for page in (PAGE, FIGURES):
        response = client.get(page)
        assert response.status_code == 200
        assert (response.context["jumps"], response.context["rejected"]) == (None, None)
        assert "not JSON" not in response.content.decode()


def test_the_part_that_refreshes_is_no_page_of_its_own(bank, browser):
    text = browser.get(FIGURES).content.decode()
    assert "<html" not in text
    assert "Live quotes" in text
