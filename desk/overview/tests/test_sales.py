"""What the overview shows of sales under way."""

from decimal import Decimal

import pytest

from coruscant import history
from coruscant.admin.tests.bank import THEN, make_bank, make_liquidation, make_loan, make_order
from coruscant.admin.tests.plans import plans
from desk.overview import sales

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


def test_sales_under_way_are_counted_with_what_they_have_covered():
    make_bank()
    with history.cause("test", correlation_id="sale"):
        make_liquidation(make_loan("L-selling", status="liquidating"), proceeds=Decimal(500))
    found = sales.totals()
    assert (found.number, found.oldest, found.owed, found.covered) == (2, THEN, 2000, 500)
    assert found.share_covered == Decimal("0.25")


def test_they_are_summed_without_reading_a_row():
    with plans(bitmaps=False) as found:
        sales.totals()
    assert "'Index Only Scan'" in found[0]
    assert "'liquidations_by_status'" in found[0]


def test_there_may_be_none():
    found = sales.totals()
    assert (found.number, found.oldest, found.share_covered) == (0, None, None)
    assert sales.newest() == []


def test_those_that_need_a_person_come_first_and_each_says_what_it_waits_for(django_assert_num_queries):
    make_bank()
    with history.cause("test", correlation_id="sale"):
        for number in range(9):
            make_liquidation(make_loan(f"L-{number}", status="liquidating"))
        unknown = make_liquidation(make_loan("L-unknown", status="liquidating"), proceeds=Decimal(1200))
        make_order(unknown, "filled", 1)
        make_order(unknown, "unknown", 2, sends=4)
    with django_assert_num_queries(4):
        found = sales.newest()
    assert len(found) == sales.LISTED
    first, second, third = found[:3]
    assert (first.loan_id, first.orders, first.state, first.kind) == ("L-waiting", 3, "needs a person", "danger")
    assert (second.loan_id, second.orders, second.state, second.kind) == ("L-unknown", 2, "unknown, send 4", "warning")
    assert second.covered == 1000
    assert (third.loan_id, third.orders, third.state, third.kind) == ("L-8", 0, "selling", "info")
