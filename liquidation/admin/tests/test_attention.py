"""Which liquidations need a person's attention, and what the list says of them."""

import pytest

from coruscant import history
from coruscant.admin.tests.bank import THEN, make_liquidation, make_loan, make_order, make_representative, set_price
from coruscant.admin.tests.plans import plans
from liquidation.admin.attention import REFUSALS_BEFORE_ATTENTION, waiting
from liquidation.models import Liquidation

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]

LIST = "/admin/liquidation/liquidation/"


@pytest.fixture(autouse=True)
def cause(db):
    history.set_cause("test", correlation_id="rows")


@pytest.fixture
def browser(client):
    set_price("50")
    client.force_login(make_representative())
    return client


def liquidating(name: str = "L-1", **columns) -> Liquidation:
    return make_liquidation(make_loan(name, status="liquidating"), **columns)


def test_a_waiting_liquidation_is_shown(browser):
    liquidating(status="waiting")
    assert "order unresolved" in browser.get(LIST).content.decode()


def test_an_order_that_is_unknown_for_long_is_shown_while_it_is_still_sent(browser, settings):
    found = liquidating(fence=1)
    order = make_order(found, "unknown", sends=settings.ORDER_SENDS_BEFORE_ATTENTION - 1)
    assert not waiting(Liquidation.objects.all()).exists()
    order.sends += 1
    order.save()
    assert list(waiting(Liquidation.objects.all())) == [found]
    assert "order unknown after 10 sends" in browser.get(LIST).content.decode()


def test_sales_that_have_not_begun_are_not_looked_at():
    with plans() as found:
        assert waiting(Liquidation.objects.all()).count() == 0
    assert "'liquidations_begun'" in found[0]
    assert "'liquidations_by_status'" in found[0]


def test_a_long_run_of_refusals_is_shown_and_a_fill_ends_it(browser):
    found = liquidating(fence=1)
    make_order(found, "filled", 1)
    for sequence in range(2, REFUSALS_BEFORE_ATTENTION + 1):
        make_order(found, "refused", sequence)
    assert not waiting(Liquidation.objects.all()).exists()
    make_order(found, "refused", REFUSALS_BEFORE_ATTENTION + 1)
    last = make_order(found, "open", REFUSALS_BEFORE_ATTENTION + 2)
    assert list(waiting(Liquidation.objects.all())) == [found]
    assert "10 refusals in a row" in browser.get(LIST).content.decode()
    last.status, last.units_traded, last.proceeds, last.answered_at = "filled", 1, 30, THEN
    last.save()
    assert not waiting(Liquidation.objects.all()).exists()


def test_the_filter_shows_only_what_waits(browser):
    waits, sells = liquidating("L-waits", status="waiting"), liquidating("L-sells")
    listed = browser.get(LIST, {"attention": "yes"}).context["cl"].result_list
    assert [row.pk for row in listed] == [waits.pk]
    assert {row.pk for row in browser.get(LIST).context["cl"].result_list} == {waits.pk, sells.pk}


def test_the_list_costs_as_many_queries_for_twenty_as_for_one(browser, django_assert_max_num_queries):
    for number in range(20):
        make_order(liquidating(f"L-{number}", status="waiting"), "unresolved")
    browser.get(LIST)
    with django_assert_max_num_queries(17):
        assert browser.get(LIST).content.count(b"order unresolved") == 20
