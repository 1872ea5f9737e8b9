"""Posting collateral: activation, margin calls, refusals, history."""

# mypy: disable-error-code="comparison-overlap"

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH

from coruscant import clock, history
from loans import applications, postings, selectors
from loans.conftest import PRICED_AT
from loans.idempotency import RequestIdReused
from loans.models import AcceptedRequest, CollateralPosting, Loan, LoanStatus, MarginCall
from loans.tests.factories import LoanFactory, MarginCallFactory
from pricing import best_price, reading

pytestmark = pytest.mark.django_db


def post(loan, amount="40", **changes):
    request: dict[str, Any] = {
        "client": "otc",
        "request_id": "req-1",
        "loan_id": loan.loan_id,
        "borrower_id": loan.borrower_id,
        "amount": Decimal(amount),
    }
    return postings.post_collateral(**(request | changes))


def assert_nothing_was_written(loan):
    before = (loan.collateral, loan.status)
    loan.refresh_from_db()
    assert (loan.collateral, loan.status) == before
    assert Loan.history.count() == 1
    assert (
        CollateralPosting.objects.count() == CollateralPosting.history.count() == AcceptedRequest.objects.count() == 0
    )


def test_complete_collateral_activates_the_loan(set_best_price):
    point = set_best_price("50")
    before = clock.now()
    body = json.loads(post(LoanFactory()).body)
    loan = Loan.objects.get()
    assert (loan.status, loan.collateral, loan.prices_apply_from) == ("active", 40, point.at)
    assert loan.activated_at is not None
    assert before <= loan.activated_at <= clock.now()
    assert (body["status"], body["ltv"], body["collateralValue"], body["requiredCollateral"]) == (
        "active",
        "0.5",
        "2000",
        "0",
    )


def test_incomplete_collateral_leaves_the_loan_new(set_best_price):
    set_best_price("50")
    body = json.loads(post(LoanFactory(), "39.999999999999999999999999").body)
    assert (body["status"], body["requiredCollateral"]) == ("new", "0.000000000000000000000001")
    assert Loan.objects.get().activated_at is None


def test_collateral_adds_up(set_best_price):
    set_best_price("50")
    loan = LoanFactory()
    post(loan, "15", request_id="req-1")
    assert Loan.objects.get().status == "new"
    post(loan, "25", request_id="req-2")
    assert (Loan.objects.get().status, Loan.objects.get().collateral) == ("active", 40)
    assert [posting.amount for posting in loan.postings.all()] == [25, 15]


def test_without_a_price_nothing_is_activated(set_best_price):
    body = json.loads(post(LoanFactory()).body)
    assert (body["status"], body["ltv"], body["collateralValue"], body["requiredCollateral"]) == (
        "new",
        None,
        None,
        None,
    )


def test_every_change_has_a_history_row_with_its_cause(set_best_price):
    set_best_price("50")
    loan = LoanFactory()
    post(loan)
    changed = Loan.history.latest()
    assert (changed.history_type, changed.history_change_reason) == ("~", "posting req-1")
    assert (changed.status, changed.collateral, changed.prices_apply_from) == ("active", 40, PRICED_AT)
    posted = CollateralPosting.history.get()
    assert (posted.history_type, posted.amount, posted.request_id) == ("+", 40, "req-1")


def test_the_same_posting_again_adds_nothing(set_best_price):
    loan = LoanFactory()
    first = post(loan, "1")
    set_best_price("50")
    again = post(loan, "1.0")
    assert (again.body, again.replayed) == (first.body, True)
    assert Loan.objects.get().collateral == 1
    assert CollateralPosting.objects.count() == 1


def test_the_first_answer_is_given_even_when_the_loan_has_been_liquidated_since(set_best_price):
    loan = LoanFactory()
    first = post(loan)
    with history.cause("test", correlation_id=""):
        loan.refresh_from_db()
        loan.status, loan.activated_at, loan.prices_apply_from = LoanStatus.LIQUIDATED, PRICED_AT, PRICED_AT
        loan.save()
    assert post(loan).body == first.body


def test_the_same_request_id_with_other_content_is_refused(set_best_price):
    loan = LoanFactory()
    post(loan, "1")
    with pytest.raises(RequestIdReused):
        post(loan, "2")
    assert Loan.objects.get().collateral == 1


def test_a_request_id_that_was_accepted_is_refused_with_an_unknown_loan_or_another_borrower(set_best_price):
    loan = LoanFactory()
    post(loan, "1")
    for change in ({"loan_id": "unknown"}, {"borrower_id": "somebody else"}):
        with pytest.raises(RequestIdReused):
            post(loan, "1", **change)


def test_an_application_and_a_posting_may_share_a_request_id(set_best_price):
    applications.apply_for_loan(client="otc", request_id="req-1", loan_id="L1", borrower_id="B1", amount=Decimal(1))
    assert not post(Loan.objects.get()).replayed


def test_a_posting_before_its_loan_succeeds_when_repeated_later(set_best_price):
    early: dict[str, Any] = {
        "client": "otc",
        "request_id": "req-1",
        "loan_id": "L1",
        "borrower_id": "B1",
        "amount": Decimal(40),
    }
    with pytest.raises(selectors.LoanNotFound):
        postings.post_collateral(**early)
    LoanFactory(loan_id="L1", borrower_id="B1")
    assert not postings.post_collateral(**early).replayed
    assert Loan.objects.get().collateral == 40


def test_another_borrower_may_not_post(set_best_price):
    loan = LoanFactory()
    with pytest.raises(postings.NotTheBorrower):
        post(loan, borrower_id="somebody else")
    assert_nothing_was_written(loan)


@pytest.mark.parametrize("status", [LoanStatus.LIQUIDATING, LoanStatus.LIQUIDATED])
def test_a_claimed_loan_takes_no_collateral(set_best_price, status):
    loan = LoanFactory(active=True, status=status)
    with pytest.raises(postings.LoanClosed):
        post(loan)
    assert_nothing_was_written(loan)


def test_collateral_beyond_twenty_integer_digits_is_refused(set_best_price):
    set_best_price("1")
    loan = LoanFactory(collateral=Decimal("9" * 20))
    with pytest.raises(postings.CollateralTooLarge):
        post(loan, "1")
    assert_nothing_was_written(loan)
    post(loan, "0." + "9" * 24)
    assert Loan.objects.get().collateral == Decimal("9" * 20 + "." + "9" * 24)


def test_the_smallest_posting_against_the_largest_loan_is_stored(set_best_price):
    set_best_price("1")
    loan = LoanFactory(amount=Decimal("9" * 20 + "." + "9" * 24))
    post(loan, "0.000000000000000000000001")
    assert Loan.objects.get().debt_per_unit == Decimal("9" * 44)


def test_a_posting_that_brings_ltv_below_sixty_percent_ends_the_margin_call(set_best_price):
    set_best_price("35")
    call = MarginCallFactory()
    body = json.loads(post(call.loan, "7").body)
    assert body["openWarning"] == {
        "openedAt": "2026-01-01T00:00:00Z",
        "price": "35",
        "ltv": "0.714285714285714285714286",
    }
    body = json.loads(post(call.loan, "1", request_id="req-2").body)
    call.refresh_from_db()
    assert body["openWarning"] is None
    assert call.close_reason == MarginCall.CloseReason.CLEARED
    assert call.closed_at is not None
    assert call.closed_at > datetime(2026, 1, 1, tzinfo=UTC)
    entry = MarginCall.history.latest()
    assert (entry.history_type, entry.close_reason, entry.history_change_reason) == ("~", "cleared", "posting req-2")


def test_a_margin_call_stays_open_while_the_price_is_unknown(set_best_price):
    call = MarginCallFactory()
    assert json.loads(post(call.loan, "1000").body)["openWarning"] is not None


@pytest.mark.django_db(transaction=True)
def test_a_posting_under_lock_takes_a_fixed_number_of_statements(django_assert_num_queries):
    loan = LoanFactory()
    # BEGIN and COMMIT; a first SELECT; cause, lock, barrier, first answer, price, loan, margin call, posting, request.
    with django_assert_num_queries(12):
        post(loan)


def test_a_posting_to_an_active_loan_takes_two_statements(django_assert_num_queries):
    loan = LoanFactory(active=True)
    with django_assert_num_queries(2):
        post(loan, "1")
    assert CollateralPosting.objects.get().loan == loan


def test_while_the_price_is_disputed_the_lower_one_activates(set_best_price, monkeypatch):
    point = replace(set_best_price("50"), lower=Decimal("25"), disputed=True)
    monkeypatch.setattr(best_price, "current_uncached", lambda: point)
    loan = LoanFactory()
    body = json.loads(post(loan, "79").body)
    assert (body["status"], body["requiredCollateral"], body["ltv"]) == ("new", "1", "0.253164556962025316455696")
    assert json.loads(post(loan, "1", request_id="req-2").body)["status"] == "active"


def test_psycopg_converts_the_text_that_a_posting_reads_by_only_once():
    assert len(reading._beside(postings._SEEN)) < MAX_CACHED_STATEMENT_LENGTH
