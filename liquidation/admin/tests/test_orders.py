"""What a representative does with unresolved orders: books that the market did trade, or that it did not."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User

from coruscant import history
from coruscant.admin.tests.bank import THEN, make_liquidation, make_loan, make_order, make_representative, set_price
from coruscant.approvals.models import Approval
from coruscant.approvals.tests.support import make_old
from liquidation.models import Liquidation, OrderAnswer, TradeOrder
from liquidation.two_people import NOT_TRADED, TRADED

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


@pytest.fixture(autouse=True)
def cause(db):
    history.set_cause("test", correlation_id="rows")


@pytest.fixture
def person():
    return make_representative("ahsoka")


@pytest.fixture
def browser(client, person):
    set_price("50")
    client.force_login(person)
    return client


def liquidating(name: str = "L-1", **columns) -> Liquidation:
    return make_liquidation(make_loan(name, status="liquidating"), **columns)


@pytest.fixture
def unresolved() -> TradeOrder:
    return make_order(liquidating(status="waiting"), "unresolved")


def url(order: TradeOrder, verb: str) -> str:
    return f"/admin/liquidation/tradeorder/{order.pk}/{verb}/"


def messages_of(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


class TestTraded:
    def test_a_trade_is_booked_under_the_persons_name(self, browser, person, unresolved):
        response = browser.post(
            url(unresolved, "market-did-trade"), {"units": "40", "proceeds": "1200.25"}, follow=True
        )
        assert messages_of(response)[-1] == "Booked: the market traded 40 units for 1200.25 GC."
        unresolved.refresh_from_db()
        assert (unresolved.status, unresolved.units_traded, unresolved.proceeds) == ("filled", 40, Decimal("1200.25"))
        loan = unresolved.liquidation.loan
        assert (loan.collateral, loan.outstanding_balance, loan.status) == (0, 0, "liquidated")
        for row in (unresolved, unresolved.liquidation, loan):
            entry = row.history.latest("history_id")
            assert (entry.history_actor, entry.history_user_id) == ("ahsoka", person.pk)
            assert entry.history_change_reason == f"resolve {unresolved.request_id}"

    def test_a_trade_booked_twice_takes_effect_once(self, browser, unresolved):
        browser.post(url(unresolved, "market-did-trade"), {"units": "8", "proceeds": "250"})
        response = browser.post(url(unresolved, "market-did-trade"), {"units": "9", "proceeds": "250"})
        assert "somebody has answered for it" in messages_of(response)[-1]
        unresolved.refresh_from_db()
        assert unresolved.units_traded == 8
        assert unresolved.liquidation.loan.collateral == 32

    @pytest.mark.parametrize(
        ("units", "proceeds"),
        [("0", "1"), ("40.000000000000000000000001", "1"), ("-1", "1"), ("8", "0"), ("8", ""), ("", "1"), ("x", "1")],
    )
    def test_impossible_figures_are_refused(self, browser, unresolved, units, proceeds):
        response = browser.post(url(unresolved, "market-did-trade"), {"units": units, "proceeds": proceeds})
        assert response.status_code == 200
        assert response.context["form"].errors
        unresolved.refresh_from_db()
        assert unresolved.status == "unresolved"


class TestNotTraded:
    def test_that_nothing_was_traded_is_booked_under_the_persons_name(self, browser, person, unresolved):
        assert b"never traded" in browser.get(url(unresolved, "market-did-not-trade")).content
        unresolved.refresh_from_db()
        assert unresolved.status == "unresolved", "asking is not answering"
        response = browser.post(url(unresolved, "market-did-not-trade"), follow=True)
        assert messages_of(response)[-1] == "Booked: the market traded nothing. The sale goes on with a new order."
        unresolved.refresh_from_db()
        assert (unresolved.status, unresolved.units_traded) == ("refused", None)
        assert unresolved.liquidation.status == "selling"
        entry = unresolved.history.latest("history_id")
        assert (entry.history_actor, entry.history_user_id) == ("ahsoka", person.pk)

    def test_booked_twice_nothing_happens_the_second_time(self, browser, unresolved):
        browser.post(url(unresolved, "market-did-not-trade"))
        changes = unresolved.history.count()
        response = browser.post(url(unresolved, "market-did-not-trade"))
        assert "somebody has answered for it" in messages_of(response)[-1]
        assert unresolved.history.count() == changes


class TestTwoPeople:
    FAR = {"units": "1", "proceeds": "1500", "why": "They said so on the telephone."}

    def test_figures_far_from_the_market_s_wait_for_somebody_else(self, browser, unresolved):
        response = browser.post(url(unresolved, "market-did-trade"), self.FAR, follow=True)
        assert response.redirect_chain == [(f"/admin/liquidation/tradeorder/{unresolved.pk}/change/", 302)]
        approval = Approval.objects.get()
        assert messages_of(response)[-1] == (
            f"Nothing is done yet: somebody else has to agree. It waits as approval No. {approval.pk}."
        )
        assert (approval.action, approval.asked_by_name, approval.why) == (TRADED, "ahsoka", self.FAR["why"])
        assert approval.arguments == {"order_id": unresolved.pk, "units": "1", "proceeds": "1500"}
        unresolved.refresh_from_db()
        assert unresolved.status == "unresolved"

    def test_somebody_else_agrees_in_the_admin_and_it_is_booked(self, browser, client, unresolved):
        browser.post(url(unresolved, "market-did-trade"), self.FAR)
        page = f"/admin/approvals/approval/{Approval.objects.get().pk}/agree/"
        browser.post(page)
        unresolved.refresh_from_db()
        assert unresolved.status == "unresolved", "not by whoever asked"
        client.force_login(make_old(make_representative("mace")))
        response = client.post(page, follow=True)
        assert messages_of(response)[-1].endswith("Booked: the market traded 1 units for 1500 GC.")
        unresolved.refresh_from_db()
        assert (unresolved.status, unresolved.proceeds) == ("filled", Decimal(1500))

    def test_they_need_a_reason_which_other_figures_do_not(self, browser, unresolved):
        response = browser.post(url(unresolved, "market-did-trade"), self.FAR | {"why": ""})
        assert messages_of(response)[-1] == "Say why, in words, for the other person."
        assert not Approval.objects.exists()
        browser.post(url(unresolved, "market-did-trade"), {"units": "1", "proceeds": "30"})
        unresolved.refresh_from_db()
        assert unresolved.status == "filled"

    def test_with_four_eyes_every_answer_waits_for_somebody_else(self, browser, unresolved, settings):
        settings.FOUR_EYES = True
        browser.post(url(unresolved, "market-did-trade"), {"units": "1", "proceeds": "30", "why": "by letter"})
        browser.post(url(unresolved, "market-did-not-trade"), {"why": "not in their statement"})
        assert set(Approval.objects.values_list("action", flat=True)) == {TRADED, NOT_TRADED}
        unresolved.refresh_from_db()
        assert (unresolved.status, unresolved.liquidation.status) == ("unresolved", "waiting")


class TestWho:
    @pytest.mark.parametrize("verb", ["market-did-trade", "market-did-not-trade"])
    def test_answering_needs_its_permission(self, client, unresolved, verb):
        viewer = User.objects.create_user("viewer", is_staff=True)
        viewer.user_permissions.add(Permission.objects.get(codename="view_tradeorder"))
        client.force_login(viewer)
        page = client.get(f"/admin/liquidation/tradeorder/{unresolved.pk}/change/")
        assert page.status_code == 200
        assert verb.encode() not in page.content
        assert client.post(url(unresolved, verb), {"units": "8", "proceeds": "1"}).status_code == 403
        unresolved.refresh_from_db()
        assert unresolved.status == "unresolved"

    @pytest.mark.parametrize("verb", ["market-did-trade", "market-did-not-trade"])
    def test_only_an_unresolved_order_has_the_buttons(self, browser, unresolved, verb):
        page = f"/admin/liquidation/tradeorder/{unresolved.pk}/change/"
        assert url(unresolved, verb) in browser.get(page).content.decode()
        other = make_order(liquidating("L-2"), "unknown")
        page = f"/admin/liquidation/tradeorder/{other.pk}/change/"
        assert url(other, verb) not in browser.get(page).content.decode()
        browser.post(url(other, verb), {"units": "8", "proceeds": "1"})
        other.refresh_from_db()
        assert other.status == "unknown"

    @pytest.mark.parametrize("status", ["unknown", "open"])
    def test_so_has_one_that_many_sends_have_not_made_clear_and_the_pages_warn(self, browser, settings, status):
        order = make_order(liquidating("L-2"), status, sends=settings.ORDER_SENDS_BEFORE_ATTENTION)
        page = browser.get(f"/admin/liquidation/tradeorder/{order.pk}/change/").content.decode()
        for verb in ("market-did-trade", "market-did-not-trade"):
            assert url(order, verb) in page
            assert "a send may be under way now" in browser.get(url(order, verb)).content.decode()
        untraded = browser.get(url(order, "market-did-not-trade")).content.decode()
        assert "will not trade this request id later" in untraded
        browser.post(url(order, "market-did-not-trade"))
        order.refresh_from_db()
        assert order.status == "refused"

    def test_what_was_heard_too_late_is_shown_on_the_orders_page(self, browser):
        order = make_order(liquidating("L-2"), "refused", sends=11)
        OrderAnswer.objects.create(
            order=order, send=11, received_at=THEN, kind="success", text="traded after all", stale=True
        )
        page = browser.get(f"/admin/liquidation/tradeorder/{order.pk}/change/").content.decode()
        assert "traded after all" in page

    def test_an_order_that_does_not_exist_is_not_found(self, browser):
        assert browser.get("/admin/liquidation/tradeorder/999/market-did-trade/").status_code == 404
