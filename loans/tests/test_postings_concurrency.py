"""Postings at once, with each other, with claims and with margin calls: real threads, real rows, one effect."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from coruscant import history
from loans import margin_calls, postings, sales
from loans.api.tests.calls import GOOD, send
from loans.conftest import price_point
from loans.idempotency import Accepted, RequestIdReused
from loans.models import AcceptedRequest, CollateralPosting, Loan
from loans.tests.factories import LoanFactory
from loans.tests.threads import THREADS, at_once

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def fifty(set_best_price):
    set_best_price("50")


@pytest.mark.parametrize("active", [False, True])
def test_one_posting_sent_twenty_times_at_once_is_posted_once(active):
    before = LoanFactory(loan_id="L1", active=active).collateral
    body = GOOD | {"amount": "40"}
    answers = at_once(*[lambda: send(Client(), "/collateral-top-ups", body)] * THREADS)
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer for answer in answers) == 1
    loan = Loan.objects.get()
    assert (loan.collateral, loan.status) == (before + 40, "active")
    assert CollateralPosting.objects.count() == AcceptedRequest.objects.count() == 1
    assert Loan.history.count() == 2


def test_one_request_id_with_twenty_postings_for_as_many_loans_takes_effect_once():
    loans = [LoanFactory() for _ in range(THREADS)]
    body = GOOD | {"amount": "40"}
    answers = at_once(
        *[
            lambda loan=loan: send(
                Client(), "/collateral-top-ups", body | {"loanId": loan.loan_id, "borrowerId": loan.borrower_id}
            )
            for loan in loans
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [202] + [422] * (THREADS - 1)
    assert CollateralPosting.objects.count() == AcceptedRequest.objects.count() == 1
    assert sorted(Loan.objects.values_list("collateral", flat=True)) == [0] * (THREADS - 1) + [40]


@pytest.mark.parametrize("active", [False, True])
def test_no_posting_is_lost_among_many(active):
    before = LoanFactory(loan_id="L1", active=active).collateral
    answers = at_once(
        *[
            lambda number=number: send(
                Client(), "/collateral-top-ups", GOOD | {"requestId": f"req-{number}", "amount": "2.5"}
            )
            for number in range(THREADS)
        ]
    )
    assert {answer.status_code for answer in answers} == {202}
    loan = Loan.objects.get()
    assert (loan.collateral, loan.status) == (before + 50, "active")
    assert sum(posting.amount for posting in loan.postings.all()) == 50
    assert Loan.history.count() == THREADS + 1
    posted = Loan.history.filter(history_change_reason__startswith="posting")
    assert set(posted.values_list("status", flat=True)) == ({"active"} if active else {"new", "active"})


def claim(key: int) -> None:
    with history.cause("claim", correlation_id=""):
        Loan.objects.select_for_update().get(pk=key)
        sales.begin_liquidation([key], NOW, Decimal(25))


def post(loan: Loan, *, request_id: str = "req-1", amount: Decimal = Decimal(1)) -> Accepted:
    return postings.post_collateral(
        client="", request_id=request_id, loan_id=loan.loan_id, borrower_id=loan.borrower_id, amount=amount
    )


@pytest.mark.parametrize("attempt", range(3))
def test_a_posting_commits_before_the_claim_or_not_at_all(attempt):
    loan = LoanFactory(active=True)
    posted, claimed = at_once(lambda: post(loan), lambda: claim(loan.pk))
    assert claimed is None
    loan.refresh_from_db()
    assert loan.status == "liquidating"
    history = list(Loan.history.order_by("history_id").values_list("status", "collateral"))
    if isinstance(posted, postings.LoanClosed):
        assert history == [("active", 40), ("liquidating", 40)]
    else:
        assert history == [("active", 40), ("active", 41), ("liquidating", 41)]


def test_a_posting_that_waits_for_a_claim_is_refused(arm):
    loan = LoanFactory(active=True)
    locked, waiting = threading.Event(), threading.Event()

    def slow_claim() -> None:
        with history.cause("claim", correlation_id=""):
            Loan.objects.select_for_update().get(pk=loan.pk)
            locked.set()
            waiting.wait(1)
            sales.begin_liquidation([loan.pk], NOW, Decimal(25))

    def late_posting() -> Accepted:
        locked.wait(10)
        waiting.set()
        return post(loan)

    posted, claimed = at_once(late_posting, slow_claim)
    assert claimed is None
    assert isinstance(posted, postings.LoanClosed)
    assert Loan.objects.get().collateral == 40
    assert AcceptedRequest.objects.count() == 0


@pytest.fixture
def between(arm):
    """Call something in another thread when a posting has read its loan and not yet written."""

    def between(act: Callable[[], Any]) -> list[Any]:
        done: list[Any] = []

        def interrupt(name: str) -> None:
            if name == "posting.seen" and not done:
                done.append("this very call")
                done[:] = at_once(act)

        arm(interrupt)
        return done

    return between


def test_a_posting_that_comes_between_is_added_to(between):
    loan = LoanFactory(active=True)
    other = between(lambda: post(loan, request_id="other", amount=Decimal(2)))
    assert json.loads(post(loan).body)["collateral"] == "43"
    assert json.loads(other[0].body)["collateral"] == "42"
    assert [row.collateral for row in Loan.history.order_by("history_id")] == [40, 42, 43]
    assert {posting.amount for posting in loan.postings.all()} == {1, 2}


def test_a_claim_that_comes_between_refuses_the_posting(between):
    loan = LoanFactory(active=True)
    claimed = between(lambda: claim(loan.pk))
    with pytest.raises(postings.LoanClosed):
        post(loan)
    assert claimed == [None]
    assert Loan.objects.get().collateral == 40
    assert [model.objects.count() for model in (CollateralPosting, AcceptedRequest)] == [0, 0]
    assert CollateralPosting.history.count() == 0


def test_an_equal_posting_that_comes_between_is_repeated(between):
    loan = LoanFactory(active=True)
    first = between(lambda: post(loan))
    again = post(loan)
    assert (again.body, again.replayed) == (first[0].body, True)
    assert (Loan.objects.get().collateral, CollateralPosting.objects.count()) == (41, 1)


def test_a_request_id_that_another_loan_uses_between_is_refused(between):
    loan, other = LoanFactory(active=True), LoanFactory(active=True)
    between(lambda: post(other))
    with pytest.raises(RequestIdReused):
        post(loan)
    assert Loan.objects.get(pk=loan.pk).collateral == 40
    assert CollateralPosting.objects.count() == AcceptedRequest.objects.count() == 1


def test_a_margin_call_that_comes_between_is_seen(between):
    loan = LoanFactory(active=True)
    called = between(lambda: margin_calls.call_loans(price_point("35")))
    assert json.loads(post(loan, amount=Decimal(40)).body)["openWarning"] is None
    assert called == [1]
    assert loan.margin_calls.get().close_reason == "cleared"


def test_a_posting_waits_for_a_locked_loan_and_reads_it_again(arm):
    loan = LoanFactory(active=True)
    locked, waiting = threading.Event(), threading.Event()

    def slow_margin_call() -> int:
        def hold(name: str) -> None:
            if name == "margin_call.locked":
                locked.set()
                waiting.wait(30)
            if name == "posting.seen":
                waiting.set()

        arm(hold)
        return margin_calls.call_loans(price_point("35"))

    def late_posting() -> Accepted:
        locked.wait(30)
        return post(loan, amount=Decimal(40))

    posted, called = at_once(late_posting, slow_margin_call)
    assert called == 1
    assert json.loads(posted.body)["openWarning"] is None
    assert loan.margin_calls.get().close_reason == "cleared"
