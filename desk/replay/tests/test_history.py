"""The loans of a past interval as they were then: which are read, with what figures, and what became of them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from coruscant import clock, history
from desk.replay import history as books
from desk.replay import service
from liquidation import evaluate
from loans.models import Loan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("enqueued")]


def batch_of(start, end, lowest="30"):
    (found,) = books.batches(start, end, service._thresholds({}), lowest and Decimal(lowest))
    return {one.pk: one for one in found.loans}, found.reality


def post(loan, collateral):
    loan.collateral = Decimal(collateral)
    with history.cause("test", correlation_id="posting"):
        loan.save()


def test_a_loan_has_the_figures_of_then_and_each_change_until_the_end(loan):
    made = loan(collateral="40")
    start = clock.now()
    post(made, "45")
    end = clock.now()
    post(made, "90")
    loans, _reality = batch_of(start, end)
    assert [(one.collateral, one.active) for one in loans[made.pk].figures] == [(40, True), (45, True)]
    assert (loans[made.pk].called, loans[made.pk].cleared_to) == (False, None)


def test_loans_that_no_price_may_call_are_left_out(loan):
    near, far = loan(collateral="40"), loan(collateral="48")  # called at 35.71 and at 29.76
    start = clock.now()
    assert set(batch_of(start, clock.now())[0]) == {near.pk}
    assert set(batch_of(start, clock.now(), "29.7")[0]) == {near.pk, far.pk}
    assert batch_of(start, clock.now(), None)[0] == {}


def test_a_loan_claimed_before_is_left_out_and_one_claimed_in_the_interval_keeps_its_figures(loan, quote):
    before, within = loan(collateral="30"), loan(collateral="40")
    quote("40")
    evaluate.evaluate_loans()
    start = clock.now()
    quote("31")
    evaluate.evaluate_loans()
    loans, reality = batch_of(start, clock.now())
    assert Loan.objects.get(pk=before.pk).status == Loan.objects.get(pk=within.pk).status == "liquidating"
    assert set(loans) == set(reality) == {within.pk}
    assert [(one.balance, one.collateral) for one in loans[within.pk].figures] == [(1000, 40)]
    assert (reality[within.pk].sale.price, reality[within.pk].sale.balance) == (31, 1000)


def test_margin_calls_of_before_say_how_the_interval_begins(loan, quote):
    open_one, cleared = loan(collateral="40"), loan(collateral="42")
    quote("34")
    evaluate.evaluate_loans()
    quote("41")  # 61 % and 58 %
    evaluate.evaluate_loans()
    start = clock.now()
    quote("33")
    evaluate.evaluate_loans()
    loans, reality = batch_of(start, clock.now())
    assert (loans[open_one.pk].called, loans[cleared.pk].called) == (True, False)
    assert start - timedelta(minutes=1) < loans[cleared.pk].cleared_to < start
    assert set(reality) == {cleared.pk}
    assert [step.price for step in reality[cleared.pk].calls] == [33]


def test_a_book_is_read_in_batches(loan, monkeypatch):
    monkeypatch.setattr(books, "BATCH", 1)
    start = clock.now() + timedelta(minutes=1)
    made = {loan().pk for _ in range(3)}
    found = list(books.batches(start, start + timedelta(hours=1), service._thresholds({}), Decimal(30)))
    assert {one.pk for batch in found for one in batch.loans} == made
    assert all(len(batch.loans) <= 1 for batch in found)
