"""The text of a loan event: fourteen strings, exact."""

import json
import uuid
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from loans.events.body import LoanThen, id_and_body
from loans.risk import Thresholds

NAMESPACE = uuid.UUID("6f1c2f0a-5d1e-4a52-9c0b-6c1f7f2b9d11")
AT = "2026-11-26T12:00:00.000005Z"
RULES = Thresholds(Decimal("0.5"), Decimal("0.7"), Decimal("0.6"), Decimal("0.8"))


def made(*, price="50", collateral="40", owed="1000", loan_id="L-1", status="active", last=1, at=AT):
    loan = LoanThen(7, loan_id, "B-1", status, Decimal(1000), Decimal(owed), Decimal(collateral), 1, last)
    return id_and_body(NAMESPACE, "activation", loan, None if price is None else Decimal(price), RULES, at)


def body(**loan):
    return made(**loan)[1]


def test_every_value_is_a_string_and_every_figure_exact():
    event_id, text = made()
    assert json.loads(text) == {
        "eventId": str(event_id),
        "eventType": "activation",
        "sequence": "2",
        "loanId": "L-1",
        "borrowerId": "B-1",
        "status": "active",
        "amount": "1000",
        "outstandingBalance": "1000",
        "collateral": "40",
        "ltv": "0.5",
        "price": "50",
        "warningPrice": "35.714285714285714285714285",
        "liquidationPrice": "31.25",
        "at": "2026-11-26T12:00:00.000005Z",
    }


def test_what_is_not_known_is_empty():
    new = json.loads(body(collateral="0", status="new", last=0))
    assert [new[name] for name in ("ltv", "price", "warningPrice", "liquidationPrice")] == ["", "50", "", ""]
    unpriced = json.loads(body(price=None))
    assert [unpriced[name] for name in ("ltv", "price", "liquidationPrice")] == ["", "", "31.25"]


def test_another_text_has_another_id_and_the_same_one_the_same():
    """A restore may forget an event that was heard: the same id with other bytes would break the contract."""
    others = [{"at": "2026-11-26T12:00:00.000006Z"}, {"price": "51"}, {"collateral": "41"}, {"last": 2}, {}]
    assert len({made(**other) for other in others}) == len({made(**other)[0] for other in others}) == len(others)
    assert made() == made()


@given(owed=st.decimals("0.000000000000000000000001", "99999999999999999999", places=24),
       units=st.decimals("0.000000000000000000000001", "99999999999999999999", places=24))  # fmt: skip
def test_a_liquidation_price_is_the_highest_at_which_the_loan_is_claimed(owed, units):
    from coruscant.money import exact
    from loans.risk import must_liquidate, price_at

    price = price_at(owed, units, RULES.liquidation_ltv)
    assert must_liquidate(owed, units, price, RULES)
    with exact():
        above = price + Decimal("1e-24")
    assert not must_liquidate(owed, units, above, RULES)


@given(loan_id=st.text(max_size=128))
def test_whatever_an_id_holds_the_body_is_ascii_and_reads_back(loan_id):
    text = body(loan_id=loan_id)
    assert text.isascii()
    assert json.loads(text)["loanId"] == loan_id
