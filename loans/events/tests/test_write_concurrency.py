"""Whoever changes a loan has locked it, so its events are numbered without a gap, whoever writes them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from loans import margin_calls, postings
from loans.conftest import PRICED_AT, price_point
from loans.events.models import LoanEvent
from loans.events.tests.support import name_topic, told
from loans.tests.factories import LoanFactory
from loans.tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_events_written_at_once_are_numbered_without_a_gap(set_best_price):
    name_topic()
    set_best_price("30")
    loans = [LoanFactory(active=True) for _ in range(4)]
    for seconds in range(3):
        low, high = (
            price_point(price, PRICED_AT + timedelta(seconds=2 * seconds + after))
            for price, after in ((30, 0), (45, 1))
        )
        results = at_once(
            *[lambda low=low: margin_calls.call_loans(low)] * 4,
            *[lambda high=high: margin_calls.clear_margin_calls(high)] * 4,
        )
        assert not [result for result in results if isinstance(result, Exception)]
        margin_calls.clear_margin_calls(high)
    for loan in loans:
        events = told(loan=loan)
        assert [event["sequence"] for event in events] == [str(number) for number in range(1, len(events) + 1)]
        assert [event["eventType"] for event in events] == ["margin-call", "margin-call-cleared"] * (len(events) // 2)
        assert events


def test_postings_that_cover_a_loan_at_once_activate_it_with_one_event(set_best_price):
    name_topic()
    set_best_price("50")
    loan = LoanFactory(collateral=Decimal(39))
    at_once(
        *(
            lambda number=number: postings.post_collateral(
                client="", request_id=f"p-{number}", loan_id=loan.loan_id, borrower_id="borrower-1", amount=Decimal(1)
            )
            for number in range(6)
        )
    )
    assert [event["eventType"] for event in told()] == ["activation"]
    assert LoanEvent.objects.get().created_at == loan.__class__.objects.get().activated_at
