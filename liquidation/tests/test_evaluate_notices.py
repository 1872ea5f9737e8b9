"""An evaluation gives notice at the price that holds, behind everything else, and takes no step for it while off."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coruscant import clock
from liquidation import evaluate, invariants
from liquidation.models import Liquidation
from loans.events.tests.support import name_topic, told
from loans.models import LoanStatus, MarginCall, MarginNotice
from pricing.models import PriceQuote

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def notices_are_on(settings):
    settings.MARGIN_NOTICE_LTV = Decimal("0.65")


def test_notice_comes_once_before_the_call_and_again_after_ltv_was_below_the_clearing_ltv(loan, quote, enqueued):
    name_topic(since=clock.now())
    loan()
    for price in ("38", "40", "37", "35", "43", "38"):  # 65.8, 62.5, 67.6, 71.4, 58.1, 65.8 %
        quote(price)
        evaluate.evaluate_loans()
    assert [event["eventType"] for event in told()] == [
        "margin-notice", "margin-call", "margin-call-cleared", "margin-notice",
    ]  # fmt: skip
    assert not [found for found in invariants.check() if found.violations]


def test_a_price_beyond_the_margin_call_calls_or_claims_and_gives_no_notice(loan, quote, enqueued):
    called, claimed, noticed = loan(collateral="35"), loan(collateral="32"), loan(collateral="38")
    quote("39")  # 73.3, 80.1, 67.5 %
    evaluate.evaluate_loans()
    assert MarginCall.objects.get().loan == called
    assert Liquidation.objects.get().loan == claimed
    assert MarginNotice.objects.get().loan == noticed


def test_a_dip_that_is_over_gives_no_notice_however_often_it_is_evaluated(loan, quote, enqueued):
    loan()
    quote("38", ago=5)
    quote("50", ago=3)
    for _ in range(2):
        evaluate.evaluate_loans()
        PriceQuote.objects.update(evaluated_at=None)
    assert not MarginNotice.objects.exists()


def test_a_window_that_is_evaluated_again_gives_no_second_notice(loan, quote, enqueued):
    loan()
    quote("50", ago=5)
    quote("38", ago=3)
    for _ in range(2):
        evaluate.evaluate_loans()
        PriceQuote.objects.update(evaluated_at=None)
    assert MarginNotice.objects.count() == 1


def test_a_jump_gives_notice_only_once_it_is_confirmed(loan, quote, enqueued):
    made = loan(collateral="80")
    quote("50", ago=5)
    quote("19", ago=3)  # a fall of more than the guard believes; 65.8 %
    evaluate.evaluate_loans()
    assert not MarginNotice.objects.exists()
    quote("19", ago=1)
    evaluate.evaluate_loans()
    assert MarginNotice.objects.get().loan == made
    made.refresh_from_db()
    assert made.status == LoanStatus.ACTIVE


def test_off_means_no_step_and_on_means_no_statement_more_on_a_quiet_tick(loan, quote, enqueued, settings):
    loan(collateral="60")
    quote("50")
    evaluate.evaluate_loans()

    def statements():
        with CaptureQueriesContext(connection) as captured:
            assert evaluate.evaluate_loans()
        return [query["sql"] for query in captured]

    on = statements()
    settings.MARGIN_NOTICE_LTV = None
    off = statements()
    assert len(on) == len(off)
    assert [sql for sql in on if "loans_marginnotice" in sql]
    assert not [sql for sql in off if "loans_marginnotice" in sql]
