"""The worst borrowers come first."""

from dataclasses import dataclass
from decimal import Decimal

from desk.stress.borrowers import Borrower, worst
from loans.risk import Thresholds


class Terms:
    thresholds = Thresholds(Decimal("0.5"), Decimal("0.7"), Decimal("0.6"), Decimal("0.8"))


@dataclass
class Loan:
    borrower_id: str
    outstanding_balance: Decimal
    collateral: Decimal
    terms = Terms()


LOANS = [
    Loan("han", Decimal(1000), Decimal(20)),
    Loan("han", Decimal(100), Decimal(50)),  # not sold at 45
    Loan("leia", Decimal(900), Decimal(20)),
    Loan("leia", Decimal(910), Decimal(20)),
    Loan("lando", Decimal(800), Decimal(20)),
    Loan("bare", Decimal(5), Decimal(0)),
]


def test_borrowers_are_in_order_of_shortfall_then_of_what_they_owe():
    found = worst(LOANS, price=Decimal(45), reached=Decimal(44), most=10)
    assert found == [
        Borrower("han", 1, Decimal(1000), Decimal(120)),
        Borrower("leia", 2, Decimal(1810), Decimal(50)),
        Borrower("bare", 1, Decimal(5), Decimal(5)),
        Borrower("lando", 1, Decimal(800), Decimal(0)),
    ]
    assert worst(LOANS, price=Decimal(45), reached=Decimal(44), most=1) == found[:1]


def test_nobody_is_hit_at_a_high_price():
    assert worst(LOANS[:5], price=Decimal(100), reached=Decimal(100), most=10) == []
