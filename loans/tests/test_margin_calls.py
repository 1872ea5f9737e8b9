"""Prices open and clear margin calls."""

# mypy: disable-error-code="comparison-overlap"

import itertools
from datetime import timedelta
from decimal import Decimal

import pytest

from loans import margin_calls
from loans.conftest import PRICED_AT, price_point
from loans.models import MarginCall
from loans.tests.factories import LoanFactory

pytestmark = pytest.mark.django_db


def test_a_margin_call_is_opened_once_at_seventy_percent():
    at_the_line = LoanFactory(active=True, collateral=Decimal(1000), amount=Decimal(700))
    LoanFactory(active=True, collateral=Decimal("1000.000000000000000000000001"), amount=Decimal(700))
    LoanFactory(collateral=Decimal(1))
    assert margin_calls.call_loans(price_point("1")) == 1
    assert margin_calls.call_loans(price_point("1")) == 0
    call = MarginCall.objects.get()
    assert (call.loan, call.price, call.price_at, call.closed_at) == (at_the_line, 1, PRICED_AT, None)
    assert (call.outstanding_balance, call.collateral) == (700, 1000)
    entry = MarginCall.history.get()
    assert (entry.history_type, entry.history_change_reason) == ("+", "margin_call mos_espa:event-1")


def test_a_second_margin_call_comes_only_after_ltv_was_below_sixty_percent():
    LoanFactory(active=True, collateral=Decimal(1000), amount=Decimal(600))

    seconds = itertools.count(1)

    def tick(price: str) -> tuple[int, int]:
        point = price_point(price, PRICED_AT + timedelta(seconds=next(seconds)))
        return margin_calls.call_loans(point), margin_calls.clear_margin_calls(point)

    assert tick("0.85") == (1, 0)  # 70.6 %
    assert tick("0.95") == (0, 0)  # 63.2 %
    assert tick("0.85") == (0, 0)
    assert tick("1") == (0, 0)  # exactly 60 %
    assert tick("1.000000000000000000000001") == (0, 1)
    assert tick("0.85") == (1, 0)
    assert [call.close_reason for call in MarginCall.objects.order_by("id")] == ["cleared", ""]
    assert MarginCall.history.filter(history_change_reason="margin_call_cleared mos_espa:event-1").count() == 1
    assert MarginCall.history.count() == 3


def test_a_price_from_before_the_activation_does_not_apply_to_the_loan():
    LoanFactory(active=True, prices_apply_from=PRICED_AT + timedelta(seconds=1))
    assert margin_calls.call_loans(price_point("1")) == 0
    assert margin_calls.call_loans(price_point("1", PRICED_AT + timedelta(seconds=1))) == 1
