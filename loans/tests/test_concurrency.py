"""Many at once: real threads, real rows, one effect."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from coruscant import failpoints, history
from loans import activation, margin_calls, postings, sales
from loans.api.tests.calls import GOOD, send
from loans.conftest import price_point
from loans.idempotency import Accepted, RequestIdReused
from loans.models import AcceptedRequest, CollateralPosting, Loan, LoanStatus, MarginCall
from loans.tests.factories import LoanFactory

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 20
NOW = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def fifty(set_best_price):
    set_best_price("50")


@pytest.fixture
def arm():
    yield failpoints.arm
    failpoints.arm(None)


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Run all in threads that start together; their results, or the exceptions they raised."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            barrier.wait(30)
            return act()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_one_application_sent_twenty_times_at_once_is_one_loan():
    answers = at_once(*[lambda: send(Client(), "/loan-applications", GOOD)] * THREADS)
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer for answer in answers) == 1
    assert Loan.objects.count() == Loan.history.count() == AcceptedRequest.objects.count() == 1


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


def test_twenty_requests_for_one_loan_id_make_one_loan():
    answers = at_once(
        *[
            lambda number=number: send(Client(), "/loan-applications", GOOD | {"requestId": f"req-{number}"})
            for number in range(THREADS)
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * (THREADS - 1)
    assert Loan.objects.count() == AcceptedRequest.objects.count() == 1


def test_one_request_id_with_twenty_contents_takes_effect_once():
    answers = at_once(
        *[
            lambda number=number: send(Client(), "/loan-applications", GOOD | {"loanId": f"L{number}"})
            for number in range(THREADS)
        ]
    )
    assert sorted(answer.status_code for answer in answers) == [202] + [422] * (THREADS - 1)
    assert Loan.objects.count() == AcceptedRequest.objects.count() == 1


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
        sales.begin_liquidation([key], NOW)


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
            sales.begin_liquidation([loan.pk], NOW)

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
    """Do something in another thread once a posting has seen its loan, before it writes."""

    def between(act: Callable[[], Any]) -> list[Any]:
        done: list[Any] = []

        def meddle(name: str) -> None:
            if name == "posting.seen" and not done:
                done.append("this very call")
                done[:] = at_once(act)

        arm(meddle)
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


def test_a_loan_that_somebody_holds_is_waited_for_and_looked_at_again(arm):
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


def test_the_sweep_waits_for_a_posting_that_has_read_an_older_price(arm):
    """Otherwise it would not see the loan as active, and no later sweep would judge it by these quotes."""
    loan = LoanFactory(collateral=Decimal(39))
    written, order = threading.Event(), []

    def pause(name: str) -> None:
        if name == "posting.written":
            written.set()
            threading.Event().wait(0.5)
            order.append("posting ends")

    def sweep() -> int:
        written.wait(10)
        activation.wait_until_settled()
        order.append("sweep goes on")
        return Loan.objects.filter(status="active").count()

    arm(pause)
    posted, seen = at_once(lambda: post(loan), sweep)
    assert json.loads(posted.body)["status"] == "active"
    assert (seen, order) == (1, ["posting ends", "sweep goes on"])


def test_postings_hold_no_one_up_but_the_sweep():
    """Two postings share the barrier; and a sweep that waits makes no deadlock among them."""
    loans = [LoanFactory(collateral=Decimal(39)) for _ in range(6)]
    sweeps = [activation.wait_until_settled] * 4
    posts = [
        lambda loan=loan, number=number: postings.post_collateral(
            client="",
            request_id=f"req-{loan.pk}-{number}",
            loan_id=loan.loan_id,
            borrower_id="borrower-1",
            amount=Decimal(1),
        )
        for loan in loans
        for number in range(2)
    ]
    answers = at_once(*posts, *sweeps)
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert Loan.objects.filter(status="active", collateral=41).count() == 6


@pytest.mark.parametrize(
    ("move", "price", "made"),
    [
        (activation.activate_loans, "50", {"collateral": Decimal(50)}),
        (margin_calls.call_loans, "35", {"active": True}),
    ],
)
def test_two_sweeps_at_once_move_each_loan_once(move, price, made):
    for _ in range(30):
        LoanFactory(**made)

    def sweep() -> int:
        total = 0
        while moved := move(price_point(price), limit=7):
            total += moved
        return total

    totals = at_once(sweep, sweep, sweep)
    assert sum(totals) == 30
    model_history = Loan.history if move is activation.activate_loans else MarginCall.history
    assert model_history.count() == (60 if move is activation.activate_loans else 30)


@pytest.mark.parametrize(
    "point", ["posting.seen", "posting.locked", "posting.written", "application.looked", "application.written"]
)
def test_a_failure_before_the_commit_leaves_nothing_and_may_be_repeated(arm, point):
    path = "/collateral-top-ups" if point.startswith("posting") else "/loan-applications"
    if path == "/collateral-top-ups":
        LoanFactory(loan_id="L1")
    rows = Loan.history.count()

    def fail(name: str) -> None:
        if name == point:
            raise RuntimeError(name)

    arm(fail)
    assert send(Client(), path, GOOD).status_code == 500
    assert AcceptedRequest.objects.count() == CollateralPosting.objects.count() == 0
    assert Loan.history.count() == rows
    arm(None)
    assert "Idempotency-Replayed" not in send(Client(), path, GOOD)


@pytest.mark.parametrize("point", ["application.committed", "posting.committed", "posting.committed_at_once"])
def test_a_failure_after_the_commit_is_answered_by_a_replay(arm, point):
    path = "/collateral-top-ups" if point.startswith("posting") else "/loan-applications"
    if path == "/collateral-top-ups":
        LoanFactory(loan_id="L1", active=point == "posting.committed_at_once")

    def fail(name: str) -> None:
        if name == point:
            raise RuntimeError(name)

    arm(fail)
    assert send(Client(), path, GOOD).status_code == 500
    arm(None)
    again = send(Client(), path, GOOD)
    assert (again.status_code, again["Idempotency-Replayed"]) == (202, "true")
    assert Loan.objects.count() == AcceptedRequest.objects.count() == 1


def test_steps_of_a_liquidation_need_a_transaction():
    loan = LoanFactory(active=True, status=LoanStatus.LIQUIDATING)
    for step in (
        lambda: sales.begin_liquidation([loan.pk], NOW),
        lambda: sales.book_sale(loan, Decimal(1), Decimal(1), smallest_sale=Decimal(1)),
        lambda: sales.finish_liquidation(loan),
    ):
        with pytest.raises(sales.IllegalTransition):
            step()
    with pytest.raises(RuntimeError, match="none is open"):
        activation.hold()
