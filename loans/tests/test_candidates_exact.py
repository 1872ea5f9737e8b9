"""Searches over the stored `debt_per_unit` find exactly the loans that the rules name, to the last digit."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction

from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from coruscant import history
from coruscant.tests.exactness import proof
from liquidation.claim import claim_batch
from liquidation.models import Liquidation
from loans import activation, margin_calls
from loans.conftest import price_point
from loans.models import Loan, LoanStatus, MarginCall
from loans.tests.factories import LONG_AGO, make_terms

TINY = Decimal("1e-24")
LARGEST = Decimal(10) ** 20 - TINY
WIDE = Context(prec=300)

#: By the version of the terms: the LTVs of liquidation, margin call, activation and clearing.
LTVS = {
    1: (Fraction(8, 10), Fraction(7, 10), Fraction(5, 10), Fraction(6, 10)),
    2: (Fraction(75, 100), Fraction(65, 100), Fraction(46, 100), Fraction(55, 100)),
}
#: Status, and whether a margin call is open, of a loan near each of these LTVs.
KINDS = ((LoanStatus.ACTIVE, False), (LoanStatus.ACTIVE, False), (LoanStatus.NEW, False), (LoanStatus.ACTIVE, True))

#: Any size from 10⁻²⁴ to 10²⁰, with as many digits as fit.
figures = st.integers(1, 44).flatmap(
    lambda digits: st.integers(10 ** (digits - 1), 10**digits - 1).map(lambda n: Decimal(n).scaleb(-24, WIDE))
)


@st.composite
def near_the_edge(draw):
    """A price, and loans whose LTV at it is within a few last digits of a threshold."""
    price = draw(figures)
    loans = []
    for _ in range(draw(st.integers(1, 6))):
        version, kind = draw(st.sampled_from(sorted(LTVS))), draw(st.integers(0, 3))
        ratio, (status, called) = LTVS[version][kind], KINDS[kind]
        rounding = draw(st.sampled_from([ROUND_FLOOR, ROUND_CEILING]))
        steps = draw(st.integers(-2, 2)) * TINY
        given_one = draw(figures)
        limit = WIDE.divide(WIDE.multiply(Decimal(ratio.numerator), price), Decimal(ratio.denominator))
        if draw(st.booleans()):
            balance = given_one
            collateral = WIDE.add(_stored(WIDE.divide(balance, limit), rounding), steps)
        else:
            collateral = given_one
            balance = WIDE.add(_stored(WIDE.multiply(collateral, limit), rounding), steps)
        if TINY <= balance <= LARGEST and TINY <= collateral <= LARGEST:
            loans.append((balance, collateral, version, status, called))
    return price, loans


def _stored(figure: Decimal, rounding: str) -> Decimal:
    return figure.quantize(TINY, rounding=rounding, context=WIDE)


def ltv(loan: Loan, price: Decimal) -> Fraction:
    return Fraction(loan.outstanding_balance) / (Fraction(loan.collateral) * Fraction(price))


class EverySearch(TestCase):
    """On the database's own generated column; each example in a transaction of its own."""

    def write(self, rows) -> list[Loan]:
        with history.cause("test", correlation_id="exact"):
            loans = Loan.objects.bulk_create(
                Loan(
                    loan_id=f"loan-{number}",
                    borrower_id="borrower",
                    amount=balance,
                    outstanding_balance=balance,
                    collateral=collateral,
                    status=status,
                    terms_id=version,
                    request_id=f"application-{number}",
                    created_at=LONG_AGO,
                    **({} if status == LoanStatus.NEW else {"activated_at": LONG_AGO, "prices_apply_from": LONG_AGO}),
                )
                for number, (balance, collateral, version, status, _called) in enumerate(rows)
            )
            MarginCall.objects.bulk_create(
                MarginCall(
                    loan=loan,
                    terms_id=loan.terms_id,
                    price=1,
                    price_at=LONG_AGO,
                    outstanding_balance=loan.outstanding_balance,
                    collateral=loan.collateral,
                    opened_at=LONG_AGO,
                )
                for loan, (*_figures, called) in zip(loans, rows, strict=True)
                if called
            )
        return loans

    @proof(60)
    @given(near_the_edge(), st.integers(1, 7))
    def test_changes_exactly_the_loans_that_the_rule_names(self, price_and_rows, limit):
        price, rows = price_and_rows
        point = price_point(price, timezone.now())
        make_terms()

        def ltvs(loan: Loan) -> tuple[Fraction, ...]:
            return LTVS[loan.terms_id]

        loans = self.write(rows)
        called = self.open_margin_calls()
        active = [loan for loan in loans if loan.status == LoanStatus.ACTIVE]

        while margin_calls.clear_margin_calls(point, limit):
            pass
        assert called - self.open_margin_calls() == {
            loan.pk for loan in loans if loan.pk in called and ltv(loan, price) < ltvs(loan)[3]
        }
        still = self.open_margin_calls()
        while margin_calls.call_loans(point, limit):
            pass
        assert self.open_margin_calls() == still | {loan.pk for loan in active if ltv(loan, price) >= ltvs(loan)[1]}

        while activation.activate_loans(point, limit):
            pass
        fresh = {loan.pk for loan in loans if loan.status == LoanStatus.NEW and ltv(loan, price) <= ltvs(loan)[2]}
        assert set(Loan.objects.filter(status="active").values_list("pk", flat=True)) == fresh | {
            loan.pk for loan in active
        }
        batch = claim_batch(point, limit=limit)
        while batch.next:
            batch = claim_batch(point, batch.next, limit=limit)
        assert set(Liquidation.objects.values_list("loan_id", flat=True)) == {
            loan.pk for loan in active if ltv(loan, price) >= ltvs(loan)[0]
        }

    def open_margin_calls(self) -> set[int]:
        return set(MarginCall.objects.filter(closed_at__isnull=True).values_list("loan_id", flat=True))
