"""How the page of a loan writes figures, markets, and who or what caused a step."""

from decimal import Decimal

import pytest

from desk.loan.tests.changes import cause
from desk.loan.words import amount, market, price, who


def test_an_amount_has_all_its_digits_and_its_thousands_separated():
    assert amount(Decimal("6307.5510")) == "6,307.551"
    assert amount(Decimal("9" * 20 + "." + "9" * 24)) == "99,999,999,999,999,999,999." + "9" * 24
    assert amount(Decimal("1E+3")) == "1,000"
    assert amount(Decimal("0E-24")) == "0"


def test_a_price_is_rounded_to_four_decimals_but_never_to_nothing():
    assert price(Decimal("29.55555")) == "29.5556 GC a unit"
    assert price(Decimal("31.250")) == "31.25 GC a unit"
    assert price(Decimal("0.00001")) == "0.00001 GC a unit"


def test_a_market_goes_by_its_place():
    assert market("black_spire_outpost") == "Black Spire Outpost"
    assert market("nowhere") == "nowhere"


@pytest.mark.parametrize(
    ("reason", "actor", "named"),
    [
        ("posting r-1", "otc", "otc"),
        ("claim mos_espa:event-7", "system", "price of Mos Espa"),
        ("sell mos_espa:event-7", "system", "sale"),
        ("margin_call_cleared x", "system", "margin call cleared"),
        ("expire approvals", "system", "time"),
        ("", "system", "system"),
    ],
)
def test_a_cause_is_a_person_or_client_else_a_price_else_what_ran_by_itself(reason, actor, named):
    assert who(cause(reason, actor)) == named
