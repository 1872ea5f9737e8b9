"""What only `GET /loans/{loanId}` shows: prices at which it is called and liquidated, its terms, its postings."""

from decimal import Decimal

import pytest

from coruscant import history
from loans.api.tests.calls import GOOD, send
from loans.models import CollateralPosting, LoanStatus
from loans.tests.factories import LONG_AGO, LoanFactory, make_terms

pytestmark = pytest.mark.django_db
DETAILS = {"warningPrice", "liquidationPrice", "terms", "postings"}


@pytest.fixture(autouse=True)
def fifty(set_best_price):
    set_best_price("50")


def post(loan, *amounts):
    with history.cause("test", correlation_id=""):
        CollateralPosting.objects.bulk_create(
            CollateralPosting(loan=loan, amount=Decimal(amount), request_id=f"p-{number}", created_at=LONG_AGO)
            for number, amount in enumerate(amounts, 1)
        )


def test_its_prices_are_those_of_its_own_terms(client, set_best_price):
    make_terms(2, call="0.65", liquidation="0.75")
    for name, version in (("first", 1), ("stricter", 2)):
        LoanFactory(loan_id=name, active=True, terms_id=version)
    set_best_price(None)
    first, stricter = (client.get(f"/loans/{name}").json() for name in ("first", "stricter"))
    assert (first["warningPrice"], first["liquidationPrice"]) == ("35.714285714285714285714285", "31.25")
    assert (stricter["warningPrice"], stricter["liquidationPrice"]) == (
        "38.461538461538461538461538",
        "33.333333333333333333333333",
    )
    assert stricter["terms"] == {
        "version": 2, "activationLtv": "0.46", "marginCallLtv": "0.65", "marginCallClearLtv": "0.55",
        "liquidationLtv": "0.75",
    }  # fmt: skip


@pytest.mark.parametrize(
    "columns",
    [
        {"collateral": Decimal(0)},
        {"status": LoanStatus.LIQUIDATED, "active": True, "outstanding_balance": Decimal(0)},
    ],
)
def test_without_collateral_or_debt_there_are_no_such_prices(client, columns):
    LoanFactory(loan_id="L1", **columns)
    body = client.get("/loans/L1").json()
    assert (body["warningPrice"], body["liquidationPrice"]) == (None, None)


def test_its_newest_hundred_postings_are_shown_the_newest_first(client):
    loan = LoanFactory(loan_id="L1", active=True)
    post(LoanFactory(active=True), "1")
    assert client.get("/loans/L1").json()["postings"] == []
    post(loan, *[f"{number}.50" for number in range(1, 103)])
    postings = client.get("/loans/L1").json()["postings"]
    assert [posting["amount"] for posting in postings] == [f"{number}.5" for number in range(102, 2, -1)]
    assert postings[0] == {"requestId": "p-102", "amount": "102.5", "at": "2026-01-01T00:00:00Z"}


def test_nothing_else_shows_them_and_what_others_show_is_there_as_well(client):
    accepted = send(client, "/loan-applications", GOOD).json()
    (listed,) = client.get("/loans").json()["results"]
    detail = client.get("/loans/L1").json()
    assert accepted == listed == {name: value for name, value in detail.items() if name not in DETAILS}
    assert detail.keys() - listed.keys() == DETAILS


@pytest.mark.parametrize("postings", [1, 150])
def test_it_takes_three_queries_however_many_postings_it_has(client, postings, django_assert_num_queries):
    post(LoanFactory(loan_id="L1", active=True), *["1"] * postings)
    with django_assert_num_queries(3):
        client.get("/loans/L1")
