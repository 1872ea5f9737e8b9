"""What is held while the database is not the accepted one."""

from decimal import Decimal

import pytest
from django.db import connection
from structlog.testing import capture_logs

from coruscant import failpoints, history
from coruscant.restores import identity
from liquidation import publish, recover
from liquidation.claim import claim_batch
from liquidation.conftest import point_now
from liquidation.evaluate import evaluate_loans
from liquidation.models import Liquidation, LiquidationEvent, OrderAnswer, OrderStatus, TradeOrder
from liquidation.sell import Outcome, sell
from loans.models import Loan, LoanStatus
from loans.postings import post_collateral
from loans.tests.factories import LoanFactory
from pricing.models import PriceQuote

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_cache", "enqueued", "asked_anew")]


def test_a_replaced_database_sends_nothing_and_counts_nothing(claimed, markets, replace_database):
    liquidation = claimed("25")
    replace_database()
    assert sell(liquidation.pk) is Outcome.HELD
    assert not markets.sent
    assert not TradeOrder.objects.exists()
    after = Liquidation.objects.get()
    assert (after.fence, after.due_at) == (0, liquidation.due_at)


def test_a_replaced_database_claims_nobody_and_leaves_the_quotes_to_be_evaluated(loan, quote, replace_database):
    loan()
    quote("25")
    replace_database()
    assert evaluate_loans() is False
    assert claim_batch(point_now()).liquidation_ids == ()
    assert Loan.objects.get().status == LoanStatus.ACTIVE
    assert PriceQuote.objects.filter(evaluated_at=None).exists()
    identity.accept("nothing was lost")
    assert evaluate_loans() is True
    assert Loan.objects.get().status == LoanStatus.LIQUIDATING


@pytest.mark.parametrize("when", ["evaluate.window_opened", "evaluate.mark_committed"])
def test_an_evaluation_that_is_under_way_when_the_database_is_replaced_ends(when, loan, quote, replace_database):
    """It would call quotes evaluated by which nobody can be claimed, and which tell how far the books go."""
    loan()
    quote("25" if when == "evaluate.window_opened" else "50")

    def reach(name):
        if name == when:
            replace_database()
            quote("25")

    failpoints.arm(reach)
    try:
        assert evaluate_loans() is False
    finally:
        failpoints.arm(None)
    assert Loan.objects.get().status == LoanStatus.ACTIVE
    assert PriceQuote.objects.filter(evaluated_at=None).exists()
    assert not PriceQuote.objects.filter(evaluated_at=None, sell__0__1="50").exists()


def test_a_replaced_database_books_a_posting_and_leaves_the_loan_new(quote, replace_database):
    quote("50")
    loan = LoanFactory(amount=Decimal(1000))
    replace_database()
    arguments = {"client": "", "request_id": "p-1", "loan_id": loan.loan_id, "borrower_id": loan.borrower_id}
    assert '"new"' in post_collateral(**arguments, amount=Decimal(40)).body
    loan.refresh_from_db()
    assert (loan.status, loan.collateral) == (LoanStatus.NEW, 40)
    identity.accept("Leia")
    evaluate_loans()
    assert Loan.objects.get().status == LoanStatus.ACTIVE


def test_a_replaced_database_publishes_nothing_and_enqueues_nothing(claimed, markets, replace_database, monkeypatch):
    monkeypatch.setattr("coruscant.aws.sns", pytest.fail)
    liquidation = claimed("25")
    sell(liquidation.pk)
    replace_database()
    assert publish.publish(liquidation.pk) is False
    assert recover.recover() == 0
    assert LiquidationEvent.objects.get().sends == 0


def test_an_answer_that_comes_to_a_replaced_database_is_kept_and_decides_nothing(claimed, markets, replace_database):
    liquidation = claimed("25")

    def replaced_meanwhile(market, order):
        replace_database()
        TradeOrder.objects.update(sends=0)  # by one that is older than the send
        return markets.trade(market, order)

    markets.then(replaced_meanwhile)
    assert sell(liquidation.pk) is Outcome.BUSY
    order = TradeOrder.objects.get()
    assert (order.status, order.sends) == (OrderStatus.OPEN, 1), "the next send must not be called the first"
    assert OrderAnswer.objects.get().stale


@pytest.mark.parametrize("other", [{"id": 10**6}, {"request_id": "another"}])
def test_an_answer_to_an_order_that_the_books_do_not_know_is_logged_in_full(other, claimed, markets):
    liquidation = claimed("25")

    def lost_meanwhile(market, order):
        _rewrite(TradeOrder.objects.get(), other)
        return markets.trade(market, order)

    markets.then(lost_meanwhile)
    with capture_logs() as logged:
        assert sell(liquidation.pk) is Outcome.HELD
    assert not OrderAnswer.objects.exists()
    (line,) = [line for line in logged if line["event"] == "answer_to_an_unknown_order"]
    assert "1000" in line["answer"]
    assert line["log_level"] == "error"


def _rewrite(order, columns):
    """As if the row were another order's in this database."""
    ((name, value),) = columns.items()
    with history.cause("test", correlation_id="restore"), connection.cursor() as cursor:
        cursor.execute(f"UPDATE liquidation_tradeorder SET {name} = %s WHERE id = %s", [value, order.pk])
