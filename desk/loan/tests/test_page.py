"""The page of a loan is read in as many queries for a long life as for a short one, and shows the newest of it."""

from decimal import Decimal

import pytest

from coruscant import clock, history
from desk.loan import page
from desk.loan.page import loan_page
from liquidation.models import Liquidation, OrderAnswer, TradeOrder
from loans.models import CollateralPosting, Loan
from pricing import best_price

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


def show(loan_id, **asked):
    return loan_page(Loan.objects.get(loan_id=loan_id), best_price.current(), **asked)


def post_many(loan_id, count):
    loan = Loan.objects.get(loan_id=loan_id)
    with history.cause("posting", correlation_id="many"):
        CollateralPosting.objects.bulk_create(
            CollateralPosting(loan=loan, amount=Decimal(1), request_id=f"many-{number}", created_at=clock.now())
            for number in range(count)
        )


def answer_many(count):
    """An order that was sent so often, and always refused."""
    order = TradeOrder.objects.order_by("sequence").first()
    TradeOrder.objects.filter(pk=order.pk).update(sends=count)
    OrderAnswer.objects.bulk_create(
        OrderAnswer(order=order, send=send, received_at=clock.now(), kind="refusal", text="no buyers")
        for send in range(order.answers.count() + 1, count + 1)
    )


def test_the_figures_of_a_sold_loan_are_those_of_its_claim_its_orders_and_its_settlement(sold):
    found = show(sold)
    sale = Liquidation.objects.get()
    filled = TradeOrder.objects.filter(status="filled")
    assert found.position.at_claim
    assert (found.position.price, found.position.sale_at) == (sale.price, Decimal("31.25"))
    assert (found.money.proceeds, found.money.surplus) == (sale.proceeds, sale.surplus)
    assert (found.collateral.posted, found.collateral.left) == (40, sale.collateral_left)
    assert (found.collateral.sold, found.collateral.orders) == (sale.collateral_sold, filled.count())
    assert found.collateral.average_price == Decimal("28.5")
    quoted = sum(order.units_traded * order.quoted_unit_price for order in filled)
    assert round(found.collateral.slippage, 20) == round(sale.proceeds / quoted - 1, 20)
    assert found.margin_call is None


def test_an_open_margin_call_is_shown(past):
    loan_id = past.lend()
    past.price("35")
    found = show(loan_id)
    assert found.margin_call.price == 35
    assert found.collateral.posted == found.collateral.left == 40


def test_a_long_life_takes_as_many_queries_as_a_short_one(sold, django_assert_num_queries):
    point = best_price.current()
    loan = Loan.objects.get(loan_id=sold)
    with django_assert_num_queries(21) as captured:
        loan_page(loan, point)
    post_many(sold, 150)
    answer_many(150)
    with django_assert_num_queries(len(captured)):
        loan_page(loan, point)
    with django_assert_num_queries(len(captured)):
        loan_page(loan, point, whole=True)


def test_of_a_long_life_the_newest_steps_are_shown_and_all_if_asked_for(sold):
    short = show(sold)
    assert short.is_whole
    assert short.steps == show(sold, whole=True).steps
    post_many(sold, page.NEWEST + 20)
    found, whole = show(sold), show(sold, whole=True)
    assert (found.is_whole, len(found.steps)) == (False, page.NEWEST)
    assert whole.is_whole
    assert len(whole.steps) == len(short.steps) + page.NEWEST + 20
    assert found.steps == whole.steps[-page.NEWEST :]
    assert (found.money, found.collateral.sold) == (short.money, short.collateral.sold)
    assert found.collateral.posted == short.collateral.posted + page.NEWEST + 20


def test_thousands_of_answers_are_read_only_if_asked_for(sold):
    answer_many(3000)
    found = show(sold)
    assert (found.is_whole, len(found.steps)) == (False, page.NEWEST)
    assert len(show(sold, whole=True).steps) > 3000


def test_the_page_writes_and_locks_nothing(sold, django_assert_num_queries):
    loan, point = Loan.objects.get(loan_id=sold), best_price.current()
    with django_assert_num_queries(21) as captured:
        loan_page(loan, point)
    for query in captured:
        assert not {"INSERT", "UPDATE", "DELETE", "LOCK"} & set(query["sql"].upper().split()), query["sql"]
