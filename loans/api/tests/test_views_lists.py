"""Lists of loans: order, pages, filters, liquidation figures, and the number of queries."""

import base64
import json
import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from coruscant import history
from liquidation.models import Liquidation, LiquidationEvent, LiquidationStatus
from loans.api.tests.calls import refused
from loans.models import Loan, LoanStatus
from loans.tests.factories import LoanFactory, MarginCallFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def fifty(set_best_price):
    set_best_price("50")


def liquidated(loan_id: str) -> tuple[Loan, dict[str, str]]:
    """A liquidated loan with its published figures."""
    loan = LoanFactory(
        loan_id=loan_id,
        status=LoanStatus.LIQUIDATED,
        collateral=Decimal(8),
        amount=Decimal(1000),
        outstanding_balance=Decimal(0),
        activated_at=NOW,
        prices_apply_from=NOW,
    )
    event_id = uuid.uuid4()
    figures = {
        "eventId": str(event_id),
        "collateralSold": "32",
        "collateralSoldValue": "1000.5",
        "outstandingCollateral": "8",
        "outstandingBalance": "0",
    }
    with history.cause("test", correlation_id=""):
        liquidation = Liquidation.objects.create(
            loan=loan,
            terms_id=1,
            status=LiquidationStatus.SETTLED,
            price=Decimal("31.25"),
            price_at=NOW,
            evidence=[],
            balance_at_claim=Decimal(1000),
            collateral_at_claim=Decimal(40),
            claimed_at=NOW,
            surplus=Decimal("0.5"),
            shortfall=Decimal(0),
            collateral_left=Decimal(8),
            settled_at=NOW,
            due_at=NOW,
        )
        LiquidationEvent.objects.create(
            liquidation=liquidation,
            event_id=event_id,
            body=json.dumps(figures | {"eventType": "liquidation", "loanId": loan_id}),
            created_at=NOW,
            due_at=NOW,
        )
    return loan, figures


def ids(response):
    assert response.status_code == 200, response.content
    return [loan["loanId"] for loan in response.json()["results"]]


def test_no_loans_are_an_empty_page(client):
    assert client.get("/loans").json() == {"next": None, "previous": None, "results": []}


def test_loans_come_newest_first_page_by_page(client):
    made = [LoanFactory().loan_id for _ in range(7)][::-1]
    first = client.get("/loans?pageSize=3")
    second = client.get(first.json()["next"])
    third = client.get(second.json()["next"])
    assert ids(first) + ids(second) + ids(third) == made
    assert third.json()["next"] is None
    assert ids(client.get(second.json()["previous"])) == ids(first)


def test_a_page_stays_the_same_when_loans_are_added(client):
    for _ in range(4):
        LoanFactory()
    following = client.get("/loans?pageSize=2").json()["next"]
    before = ids(client.get(following))
    LoanFactory()
    assert ids(client.get(following)) == before


@pytest.mark.parametrize(("asked", "given"), [("", 50), ("?pageSize=200", 200), ("?pageSize=100000", 200)])
def test_a_page_has_as_many_loans_as_asked_for_up_to_200(client, asked, given):
    with history.cause("test", correlation_id=""):
        Loan.objects.bulk_create(
            Loan(
                loan_id=f"L{number}",
                borrower_id="B",
                amount=Decimal(1),
                outstanding_balance=Decimal(1),
                request_id="r",
                created_at=NOW,
                terms_id=1,
            )
            for number in range(201)
        )
    assert len(ids(client.get(f"/loans{asked}"))) == given


def test_loans_are_filtered_by_status_and_borrower(client):
    LoanFactory(loan_id="new", borrower_id="B1")
    LoanFactory(loan_id="active", borrower_id="B1", active=True)
    LoanFactory(loan_id="other", borrower_id="B2", active=True)
    assert ids(client.get("/loans?status=active")) == ["other", "active"]
    assert ids(client.get("/loans?borrowerId=B1")) == ["active", "new"]
    assert ids(client.get("/loans?borrowerId=B1&status=active")) == ["active"]
    assert ids(client.get("/loans?borrowerId=nobody")) == []
    assert ids(client.get("/loans?unknown=1")) == ["other", "active", "new"]


def cursor(text):
    return "cursor=" + base64.b64encode(text).decode()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=sold", "status"),
        ("status=", "status"),
        ("status=%00", "status"),
        ("borrowerId=", "borrowerId"),
        ("borrowerId=%00", "borrowerId"),
        ("borrowerId=" + "x" * 129, "borrowerId"),
        ("pageSize=0", "pageSize"),
        ("pageSize=-1", "pageSize"),
        ("pageSize=ten", "pageSize"),
        ("pageSize=", "pageSize"),
        ("pageSize=" + "9" * 5000, "pageSize"),
        ("pageSize=%D9%A3", "pageSize"),
        ("cursor=nonsense", "cursor"),
        ("cursor=%ff", "cursor"),
        ("cursor=%F0%9F%98%80", "cursor"),
        (cursor(b"p=x"), "cursor"),
        (cursor(b"p=1;DROP"), "cursor"),
        (cursor(b"p=" + b"9" * 40), "cursor"),
        (cursor(b"p=-1"), "cursor"),
        (cursor(b"p="), "cursor"),
        (cursor(b"o=x&p=1"), "cursor"),
        (cursor(b"r=" + b"9" * 5000), "cursor"),
        (cursor(b"p=%00"), "cursor"),
    ],
)
def test_bad_queries_are_refused_by_name(client, query, field):
    body = refused(client.get(f"/loans?{query}"), 400)
    assert [error["field"] for error in body["errors"]] == [field]


def test_a_liquidated_loan_shows_the_figures_of_its_event(client):
    _, figures = liquidated("L1")
    body = client.get("/loans/L1").json()
    assert body["liquidation"] == figures
    assert (body["status"], body["outstandingBalance"], body["collateral"], body["requiredCollateral"]) == (
        "liquidated",
        "0",
        "8",
        "0",
    )


def test_a_margin_call_is_shown(client):
    loan = MarginCallFactory().loan
    assert client.get(f"/loans/{loan.loan_id}").json()["openWarning"] == {
        "openedAt": "2026-01-01T00:00:00Z",
        "price": "35",
        "ltv": "0.714285714285714285714286",
    }


def test_figures_are_plain_decimals(client, set_best_price):
    set_best_price("0.0000003")
    LoanFactory(loan_id="L1", active=True, collateral=Decimal("1000000000.5"), amount=Decimal("1E+19"))
    body = client.get("/loans/L1").json()
    assert body["amount"] == "10000000000000000000"
    assert body["collateralValue"] == "300.00000015"
    assert body["ltv"] == "33333333316666666.674999999995833333335417"


def test_without_a_price_the_figures_that_need_one_are_null(client, set_best_price):
    set_best_price(None)
    LoanFactory(loan_id="L1", active=True)
    body = client.get("/loans/L1").json()
    assert (body["ltv"], body["collateralValue"], body["requiredCollateral"]) == (None, None, None)


@pytest.mark.parametrize("loans", [1, 12])
def test_a_list_takes_two_queries_however_long(client, loans, django_assert_num_queries):
    for number in range(loans):
        liquidated(f"liquidated-{number}")
        MarginCallFactory()
        LoanFactory()
    with django_assert_num_queries(2):
        assert len(ids(client.get("/loans?pageSize=100"))) == 3 * loans
