"""Rows for tests, written with a cause as every audited row must be."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import factory

from coruscant import audit
from loans.models import Loan, LoanStatus, LoanWarning

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class AuditedFactory(factory.django.DjangoModelFactory):
    """Creates rows inside a cause."""

    class Meta:
        abstract = True

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        with audit.cause("test", correlation_id="factory"):
            return super()._create(model_class, *args, **kwargs)


class LoanFactory(AuditedFactory):
    """A new loan of 1000 GC without collateral."""

    class Meta:
        model = Loan

    class Params:
        active = factory.Trait(
            status=LoanStatus.ACTIVE, collateral=Decimal(40), activated_at=LONG_AGO, judged_from=LONG_AGO
        )

    loan_id = factory.Sequence(lambda n: f"loan-{n}")
    borrower_id = "borrower-1"
    amount = Decimal(1000)
    outstanding_balance = factory.SelfAttribute("amount")
    request_id = factory.Sequence(lambda n: f"application-{n}")
    created_at = LONG_AGO


class LoanWarningFactory(AuditedFactory):
    """An open margin call at 35 GC a unit."""

    class Meta:
        model = LoanWarning

    loan = factory.SubFactory(LoanFactory, active=True)
    price = Decimal(35)
    price_at = LONG_AGO
    outstanding_balance = factory.SelfAttribute("loan.outstanding_balance")
    collateral = factory.SelfAttribute("loan.collateral")
    opened_at = LONG_AGO
