"""Paths of the API: with and without a trailing slash, and loan ids of any characters."""

from urllib.parse import quote

import pytest

from loans.api.tests.calls import GOOD, refused, send
from loans.tests.factories import LoanFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unpriced")]


@pytest.mark.parametrize(("path", "loan_id"), [("/loan-applications/", "L1"), ("/collateral-top-ups/", "L0")])
def test_a_trailing_slash_makes_no_difference_to_a_post(client, path, loan_id):
    LoanFactory(loan_id="L0")
    assert send(client, path, GOOD | {"loanId": loan_id}).status_code == 202


def test_a_trailing_slash_makes_no_difference_to_a_get(client):
    LoanFactory(loan_id="L1")
    assert client.get("/loans/").json() == client.get("/loans").json()
    assert client.get("/loans/L1/").json() == client.get("/loans/L1").json()


@pytest.mark.parametrize(
    "loan_id", ["a/b", "/", "//", "a/", "?", "#", "%", "%2F", " ", "é", "🜚", "a\nb", "\n", ".", "..", "+", "'"]
)
def test_a_loan_id_in_a_path_may_hold_any_character(client, loan_id):
    LoanFactory(loan_id=loan_id)
    response = client.get("/loans/" + quote(loan_id, safe=""))
    assert (response.status_code, response.json()["loanId"]) == (200, loan_id)


def test_a_slash_at_the_end_belongs_to_the_id_if_there_is_such_a_loan(client):
    LoanFactory(loan_id="a")
    assert client.get("/loans/a/").json()["loanId"] == "a"
    LoanFactory(loan_id="a/")
    assert client.get("/loans/a/").json()["loanId"] == "a/"
    assert client.get("/loans/a").json()["loanId"] == "a"


@pytest.mark.parametrize("path", ["/loans/unknown", "/loans/" + "x" * 5000, "/loans/%ff", "/loans/%ed%a0%80"])
def test_an_unknown_loan_is_not_found(client, path):
    refused(client.get(path), 404)
