"""Statements of fixed text write and read what the ORM would."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from coruscant import history, rows
from loans.models import CollateralPosting, Loan
from loans.tests.factories import LONG_AGO, LoanFactory

pytestmark = pytest.mark.django_db


def posting(loan):
    return CollateralPosting(loan=loan, amount=Decimal(3), request_id="posting", created_at=LONG_AGO)


def test_several_rows_are_written_by_one_statement_each_with_its_history(django_assert_num_queries):
    loan = LoanFactory()
    loan.collateral, loan.borrower_id, made = Decimal(3), "not named, not written", posting(loan)
    with history.cause("posting", correlation_id="req-1"), django_assert_num_queries(1):
        rows.write((loan, ("collateral",)), (made, None))
    stored = Loan.objects.get()
    assert (stored.collateral, stored.borrower_id) == (3, "borrower-1")
    assert CollateralPosting.objects.get() == made
    assert not made._state.adding
    assert [entry.history_change_reason for entry in (loan.history.latest(), made.history.get())] == [
        "posting req-1", "posting req-1",
    ]  # fmt: skip


def test_a_write_without_a_cause_is_refused():
    loan = LoanFactory()
    loan.collateral = Decimal(3)
    with pytest.raises(IntegrityError, match="without a cause"), transaction.atomic():
        rows.write((loan, ("collateral",)))
    assert Loan.objects.get().collateral == 0


def test_a_row_that_is_not_there_is_said_to_be_missing():
    gone = Loan(pk=0, collateral=Decimal(1))
    with history.cause("posting", correlation_id=""), pytest.raises(Loan.DoesNotExist):
        rows.write((gone, ("collateral",)))


def test_rows_are_read_as_the_orm_reads_them(django_assert_num_queries):
    first, second = LoanFactory(active=True), LoanFactory()
    with django_assert_num_queries(1):
        found = rows.Select(Loan, "FROM loans_loan WHERE id > %s ORDER BY id").all(0)
    assert found == [first, second]
    for loan, stored in zip(found, Loan.objects.order_by("pk"), strict=True):
        for field in Loan._meta.concrete_fields:
            assert getattr(loan, field.attname) == getattr(stored, field.attname)
