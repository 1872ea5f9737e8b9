"""Values as the evidence writes them."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID

import pytest

from desk.evidence.values import camel, picked, plain
from loans.models import LoanStatus


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("40.500"), "40.5"),
        (Decimal("1e3"), "1000"),
        (datetime(2026, 5, 4, 10, 30, tzinfo=timezone(timedelta(hours=2))), "2026-05-04T08:30:00Z"),
        (datetime(2026, 5, 4, 8, 30, 0, 5, tzinfo=UTC), "2026-05-04T08:30:00.000005Z"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (LoanStatus.ACTIVE, "active"),
        (0.1, "0.1"),
        ({"a": [Decimal(1), None, True, 7]}, {"a": ["1", None, True, 7]}),
    ],
)
def test_a_value_is_written_exactly(value, written):
    assert plain(value) == written
    assert type(plain(value)) is type(written)


def test_what_has_no_form_is_refused():
    with pytest.raises(TypeError, match="no form"):
        plain(object())


def test_columns_are_named_as_the_api_names_them():
    assert camel("outstanding_balance") == "outstandingBalance"
    assert picked(SimpleNamespace(loan_id="L", amount=1, other=2), "loan_id", "amount") == {"loanId": "L", "amount": 1}
