"""Steps of a liquidation are refused outside a transaction."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from loans import sales
from loans.models import LoanStatus
from loans.tests.factories import LoanFactory


@pytest.mark.django_db(transaction=True)
def test_steps_of_a_liquidation_need_a_transaction():
    loan = LoanFactory(active=True, status=LoanStatus.LIQUIDATING)
    for step in (
        lambda: sales.begin_liquidation([loan.pk], datetime(2026, 7, 1, tzinfo=UTC), Decimal(25)),
        lambda: sales.book_sale(loan, Decimal(1), Decimal(1), smallest_sale=Decimal(1)),
        lambda: sales.finish_liquidation(loan),
    ):
        with pytest.raises(sales.IllegalTransition):
            step()
