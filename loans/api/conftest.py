"""Fixtures for calls of the API."""

import pytest

from loans.models import AcceptedRequest, Loan
from loans.tests.factories import LoanFactory


@pytest.fixture
def unpriced(set_best_price):
    """No best price is known."""


@pytest.fixture(params=["/loan-applications", "/collateral-top-ups"])
def path(request, db):
    """Where a refused request goes; afterwards nothing must have been written."""
    LoanFactory(loan_id="L1")
    yield request.param
    assert AcceptedRequest.objects.count() == 0
    assert Loan.objects.count() == Loan.history.count() == 1
