"""The calls of the API, and every error that each can answer with."""

import json
import logging
from decimal import Decimal

import pytest
from django.db import OperationalError

from loans import idempotency
from loans.api.tests.calls import GOOD, refused, send
from loans.models import Loan, LoanStatus
from loans.tests.factories import LoanFactory

pytestmark = pytest.mark.django_db
APPLY, POST = "/loan-applications", "/collateral-top-ups"


@pytest.fixture(autouse=True)
def fifty(set_best_price):
    set_best_price("50")


def test_an_application_is_accepted(client):
    response = send(client, APPLY, GOOD)
    assert response.status_code == 202
    assert response["Content-Type"] == "application/json"
    assert "Idempotency-Replayed" not in response
    body = response.json()
    created_at = body.pop("createdAt")
    assert created_at.endswith("Z")
    assert body == {
        "loanId": "L1",
        "borrowerId": "borrower-1",
        "amount": "1000",
        "collateral": "0",
        "status": "new",
        "outstandingBalance": "1000",
        "ltv": None,
        "collateralValue": None,
        "requiredCollateral": "40",
        "openWarning": None,
        "activatedAt": None,
        "liquidation": None,
    }


def test_a_posting_is_accepted_and_activates_the_loan(client):
    send(client, APPLY, GOOD)
    response = send(client, POST, GOOD | {"amount": "40"})
    assert response.status_code == 202
    body = response.json()
    assert (body["status"], body["ltv"], body["collateral"]) == ("active", "0.5", "40")
    assert body["activatedAt"].endswith("Z")


@pytest.mark.parametrize("path", [APPLY, POST])
def test_a_replay_is_the_first_answer_byte_for_byte(client, path, set_best_price):
    if path == POST:
        LoanFactory(loan_id="L1")
    first = send(client, path, GOOD | {"amount": "1.0"})
    set_best_price("60")
    again = send(client, path, GOOD | {"amount": "1", "unknown": 5})
    assert (again.status_code, again["Idempotency-Replayed"], again["Content-Type"]) == (
        202,
        "true",
        first["Content-Type"],
    )
    assert again.content == first.content
    assert Loan.objects.count() == 1


def test_the_same_request_id_with_other_content_is_unprocessable(client):
    send(client, APPLY, GOOD)
    body = refused(send(client, APPLY, GOOD | {"amount": "2"}), 422)
    assert body["type"] == "urn:coruscant-bank:problem:request-id-reused"


def test_a_loan_id_of_another_request_is_a_conflict(client):
    send(client, APPLY, GOOD)
    assert refused(send(client, APPLY, GOOD | {"requestId": "req-2"}), 409)["type"].endswith(":loan-id-taken")


def test_collateral_for_an_unknown_loan_is_not_found(client):
    assert refused(send(client, POST, GOOD), 404)["type"].endswith(":loan-not-found")


def test_collateral_of_another_borrower_is_unprocessable(client):
    LoanFactory(loan_id="L1", borrower_id="another")
    assert refused(send(client, POST, GOOD), 422)["type"].endswith(":not-the-borrower")


@pytest.mark.parametrize("status", [LoanStatus.LIQUIDATING, LoanStatus.LIQUIDATED])
def test_collateral_for_a_claimed_loan_is_a_conflict(client, status):
    LoanFactory(loan_id="L1", active=True, status=status)
    assert refused(send(client, POST, GOOD), 409)["type"].endswith(":loan-closed")


def test_too_much_collateral_is_unprocessable(client):
    LoanFactory(loan_id="L1", collateral=Decimal("9" * 20))
    assert refused(send(client, POST, GOOD), 422)["type"].endswith(":collateral-too-large")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", APPLY, "POST"),
        ("PUT", APPLY, "POST"),
        ("DELETE", POST, "POST"),
        ("PATCH", "/loans", "GET"),
        ("POST", "/loans", "GET"),
        ("POST", "/loans/L1", "GET"),
        ("TRACE", "/loans", "GET"),
        ("BREW", "/loans", "GET"),
    ],
)
def test_an_unknown_method_is_refused_and_the_known_ones_are_named(client, method, path, allowed):
    response = client.generic(method, path)
    refused(response, 405)
    assert allowed in response["Allow"]


@pytest.mark.parametrize("error", [RuntimeError("secret"), KeyError("secret"), ValueError("secret")])
def test_an_unexpected_error_is_logged_and_says_nothing(client, monkeypatch, error, caplog):
    def fail(**_):
        raise error

    monkeypatch.setattr(idempotency, "store_response", fail)
    monkeypatch.setattr(idempotency, "replay", lambda _: fail())
    with caplog.at_level(logging.ERROR):
        body = refused(send(client, APPLY, GOOD), 500)
    assert "secret" not in json.dumps(body)
    assert any("unexpected_error" in record.getMessage() for record in caplog.records)
    assert Loan.objects.count() == 0


def test_a_database_that_is_away_is_unavailable(client, monkeypatch):
    def fail(_):
        raise OperationalError("connection refused")

    monkeypatch.setattr(idempotency, "replay", fail)
    response = send(client, APPLY, GOOD)
    assert "refused" not in json.dumps(refused(response, 503))
    assert int(response["Retry-After"]) > 0


def test_history_names_the_client(client):
    send(client, APPLY, GOOD)
    entry = Loan.history.get()
    assert (entry.history_actor, entry.history_user_id, entry.history_change_reason) == (
        "anonymous client",
        None,
        "application req-1",
    )


@pytest.mark.parametrize(
    "cookie", ['sessionid="aaaaaaaa\\000"', "sessionid=" + "x" * 5000, "sessionid=é; ;;=", "csrftoken=%00"]
)
def test_no_cookie_is_an_error(client, cookie):
    client.raise_request_exception = False
    response = client.get("/loans", HTTP_COOKIE=cookie)
    assert response.status_code in {200, 400}
