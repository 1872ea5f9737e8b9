"""Rows for tests, written with a cause as every audited row must be."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from factory.declarations import SelfAttribute, Sequence, SubFactory, Trait
from factory.django import DjangoModelFactory

from coruscant import clock, history
from loans.models import Loan, LoanStatus, LoanTerms, MarginCall

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class _Audited(DjangoModelFactory[Any]):
    """Creates rows inside a cause."""

    class Meta:
        abstract = True

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        with history.cause("test", correlation_id="factory"):
            return super()._create(model_class, *args, **kwargs)


class _Loans(_Audited):
    """A new loan of 1000 GC without collateral."""

    class Meta:
        model = Loan

    class Params:
        active = Trait(
            status=LoanStatus.ACTIVE, collateral=Decimal(40), activated_at=LONG_AGO, prices_apply_from=LONG_AGO
        )

    loan_id = Sequence(lambda n: f"loan-{n}")
    borrower_id = "borrower-1"
    amount = Decimal(1000)
    outstanding_balance = SelfAttribute("amount")
    terms_id = 1
    request_id = Sequence(lambda n: f"application-{n}")
    created_at = LONG_AGO


class _MarginCalls(_Audited):
    """An open margin call at 35 GC a unit."""

    class Meta:
        model = MarginCall

    loan = SubFactory(_Loans, active=True)
    terms_id = SelfAttribute("loan.terms_id")
    price = Decimal(35)
    price_at = LONG_AGO
    outstanding_balance = SelfAttribute("loan.outstanding_balance")
    collateral = SelfAttribute("loan.collateral")
    opened_at = LONG_AGO


def make_terms(
    version: int = 2, *, activation: str = "0.46", call: str = "0.65", clear: str = "0.55", liquidation: str = "0.75",
    valid_from: datetime | None = None,
) -> LoanTerms:  # fmt: skip
    """Terms that are stricter than the first, for loans that are opened from now on unless an instant is given."""
    return LoanTerms.objects.create(
        version=version,
        activation_ltv=Decimal(activation),
        margin_call_ltv=Decimal(call),
        margin_call_clear_ltv=Decimal(clear),
        liquidation_ltv=Decimal(liquidation),
        valid_from=valid_from or clock.now(),
        asked_by="leia",
        agreed_by="han",
    )


LoanFactory: Callable[..., Loan] = _Loans.create
MarginCallFactory: Callable[..., MarginCall] = _MarginCalls.create
