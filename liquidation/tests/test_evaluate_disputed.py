"""In a dispute of the markets an evaluation names as the cause of what it does the quote whose price decides."""

from decimal import Decimal

import pytest

from liquidation.evaluate import evaluate_loans
from loans.models import LoanStatus
from loans.tests.factories import LoanFactory
from pricing.markets import Market

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("quantity", [1, 10])
def test_the_cause_of_an_activation_is_the_quote_at_whose_price_it_happens(quote, enqueued, settings, quantity):
    settings.PRICE_REFERENCE_QUANTITY = Decimal(quantity)
    quote("50")
    lower = quote("30", market=Market.BLACK_SPIRE_OUTPOST)
    loan = LoanFactory(amount=Decimal(1000), collateral=Decimal(70))
    evaluate_loans()
    loan.refresh_from_db()
    assert (loan.status, loan.activation_price) == (LoanStatus.ACTIVE, 30)
    reason = loan.history.latest("history_id").history_change_reason
    assert reason == f"activation black_spire_outpost:{lower.message_id}"


def test_a_jump_that_is_pending_is_the_cause_of_an_activation_at_its_price(quote, enqueued):
    quote("50", ago=1)
    jump = quote("20")
    loan = LoanFactory(amount=Decimal(1000), collateral=Decimal(100))
    evaluate_loans()
    loan.refresh_from_db()
    assert (loan.status, loan.activation_price) == (LoanStatus.ACTIVE, 20)
    assert loan.history.latest("history_id").history_change_reason == f"activation mos_espa:{jump.event_id}"
