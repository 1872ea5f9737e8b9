"""A stress test of a snapshot says what a slow one says that asks every loan, with fractions: to the last digit."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from math import ceil

from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from coruscant import history
from coruscant.tests.exactness import proof
from desk.book import snapshot
from desk.book.buckets import EDGES
from desk.book.selectors import Book
from desk.models import BookSnapshot
from desk.stress import rules
from desk.stress.depth import depth_at
from loans.models import Loan, LoanStatus
from loans.tests.factories import LONG_AGO, make_terms
from pricing.quotes import Level

TINY = Decimal("1e-24")
WIDE = Context(prec=300)
#: By the version of the terms: the LTVs of margin call and liquidation.
LTVS = {1: (Fraction(7, 10), Fraction(8, 10)), 2: (Fraction(65, 100), Fraction(75, 100))}
RATIOS = [Fraction(1), *(ltv for both in LTVS.values() for ltv in both)]

units = st.decimals("0.000001", 10**6, places=24)
edges = st.sampled_from(EDGES[1::70])
steps = st.integers(-2, 2).map(lambda count: count * TINY)


def stored(figure, rounding):
    return WIDE.divide(Decimal(figure.numerator), Decimal(figure.denominator)).quantize(TINY, rounding, WIDE)


@st.composite
def books(draw):
    """Loans with debts per unit anywhere, and on the edges of buckets; and prices, also on what decides about them."""
    rows, prices = [], [draw(st.decimals("0.01", 10**4, places=24))]
    for _ in range(draw(st.integers(0, 8))):
        collateral = draw(units)
        debt_per_unit = draw(st.one_of(edges, st.decimals("0.001", 10**4, places=24)))
        balance = WIDE.multiply(collateral, debt_per_unit).quantize(TINY, draw(roundings), WIDE) + draw(steps)
        version, status = draw(st.sampled_from(sorted(LTVS))), draw(statuses)
        if balance > 0:
            rows.append((balance, draw(st.one_of(st.just(collateral), st.just(Decimal(0)))), version, status))
            prices.append(
                stored(Fraction(balance) / Fraction(collateral) / draw(ratios), draw(roundings)) + draw(steps)
            )
    prices.append(stored(Fraction(draw(edges)) / draw(ratios), draw(roundings)) + draw(steps))
    return rows, [price for price in prices if price > 0]


roundings = st.sampled_from([ROUND_FLOOR, ROUND_CEILING])
ratios = st.sampled_from(RATIOS)
statuses = st.sampled_from([LoanStatus.ACTIVE, LoanStatus.ACTIVE, LoanStatus.ACTIVE, LoanStatus.NEW])

#: Its debt per unit is the edge of a bucket, and the line lies three of the last decimals above it, in 29 digits.
_BESIDE_AN_EDGE = (
    [(Decimal("996852.1999782195930588436240"), Decimal("27.033686818919532132827121"), 1, LoanStatus.ACTIVE)],
    [Decimal("46093.05635296164748618325238")],
)


@st.composite
def curves(draw):
    """Up to two markets, whose prices go down with the quantity."""
    found = []
    for _ in range(draw(st.integers(0, 2))):
        prices = sorted(draw(st.lists(st.decimals(30, 60, places=3), min_size=3, max_size=3)), reverse=True)
        found.append(tuple(Level(Decimal(q), price) for q, price in zip((1, 10, 100), prices, strict=True)))
    return found


def brings(curves, price, quantity):
    """What so many units bring at once on the average: unit by unit in the order of their price. Fractions."""
    best = max(Fraction(curve[0].unit_price) for curve in curves)
    pieces = []
    for curve in curves:
        sold, total, before = Fraction(0), Fraction(0), None
        for level in curve:
            q, value = Fraction(level.quantity), Fraction(level.quantity) * Fraction(level.unit_price)
            each = (value - total) / (q - sold)
            before = each if before is None else min(before, each)
            if before <= 0:
                break
            pieces.append((Fraction(stored(before * Fraction(price) / best, ROUND_FLOOR)), q - sold))
            sold, total = q, value
    pieces = sorted((piece for piece in pieces if piece[0] > 0), reverse=True)
    if not pieces:
        return None
    left = quantity = min(quantity, sum(width for _each, width in pieces)) or pieces[0][1]
    total = Fraction(0)
    for each, width in pieces:
        total += each * min(left, width)
        left -= min(left, width)
    return total / quantity


class EveryPrice(TestCase):
    """On the database's own figures; each example in a transaction of its own."""

    def lend(self, rows):
        make_terms()
        with history.cause("test", correlation_id="exact"):
            return Loan.objects.bulk_create(
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
                for number, (balance, collateral, version, status) in enumerate(rows)
            )

    @proof(40)
    @given(books(), curves())
    @example(_BESIDE_AN_EDGE, [])
    def test_the_figures_are_those_of_a_walk_over_all_loans(self, rows_and_prices, curves):
        rows, prices = rows_and_prices
        active = [loan for loan in self.lend(rows) if loan.status == LoanStatus.ACTIVE]
        snapshot.take()
        book = Book(BookSnapshot.objects.get())
        for price in prices:
            depth = depth_at(curves, price, Decimal(1))
            found = rules.outcome(book.at_or_above, book.terms, price, depth)
            self.compare(active, price, curves, found)

    def compare(self, active, price, curves, found):
        def reaching(stage):
            return [
                loan
                for loan in active
                if Fraction(loan.outstanding_balance)
                >= LTVS[loan.terms_id][stage] * Fraction(loan.collateral) * Fraction(price)
            ]

        called, sold = reaching(0), reaching(1)
        owed, collateral = total(sold, "outstanding_balance"), total(sold, "collateral")
        assert found.called == len(called) - len(sold)
        assert (found.sold, found.owed, found.collateral) == (len(sold), owed, collateral)

        reached = Fraction(found.reached)
        shortfall = sum(
            max(Fraction(0), Fraction(loan.outstanding_balance) - Fraction(loan.collateral) * reached) for loan in sold
        )
        needed = sum(min(Fraction(loan.collateral), Fraction(loan.outstanding_balance) / reached) for loan in sold)
        assert Fraction(found.shortfall) == shortfall
        assert Fraction(found.proceeds) == owed - shortfall
        assert Fraction(found.units) == Fraction(ceil(needed * 10**24), 10**24)

        average = brings(curves, price, needed) if curves else None
        if average is None:
            assert found.reached == price
        else:
            assert reached <= brings(curves, price, Fraction(0)), "never above the best price"
            assert -Fraction(TINY) <= reached - average <= Fraction(rules.TOLERANCE) * reached + Fraction(TINY)


def total(loans, figure):
    return sum((Fraction(getattr(loan, figure)) for loan in loans), Fraction(0))
