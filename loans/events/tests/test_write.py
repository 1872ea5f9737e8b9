"""Every transition writes its event in its own transaction, and numbers it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from coruscant import history, ids
from loans import activation, applications, margin_calls, postings, sales
from loans.conftest import PRICED_AT, price_point
from loans.events.models import LoanEvent
from loans.events.tests.support import name_topic, told
from loans.models import Loan, MarginCall
from loans.representation import instant_string
from loans.tests.factories import LONG_AGO, LoanFactory, MarginCallFactory

pytestmark = pytest.mark.django_db


def apply(loan_id="L-1"):
    applications.apply_for_loan(
        client="", request_id=f"r-{loan_id}", loan_id=loan_id, borrower_id="B-1", amount=Decimal(1000)
    )
    return Loan.objects.get(loan_id=loan_id)


def post(loan, amount, request_id="p-1"):
    return postings.post_collateral(
        client="", request_id=request_id, loan_id=loan.loan_id, borrower_id=loan.borrower_id, amount=Decimal(amount)
    )


def said(*names, **of):
    return [tuple(event[name] for name in names) for event in told(**of)]


def test_without_a_topic_nothing_is_written(set_best_price):
    set_best_price("50")
    post(apply(), 40)
    margin_calls.call_loans(price_point("30"))
    assert not LoanEvent.objects.exists()


def test_the_whole_life_of_a_loan_is_told_in_order(set_best_price):
    name_topic()
    set_best_price("50")
    loan = apply()
    post(loan, 30, "p-1")
    post(loan, 10, "p-2")
    margin_calls.call_loans(price_point("35", PRICED_AT + timedelta(seconds=1)))
    margin_calls.clear_margin_calls(price_point("45", PRICED_AT + timedelta(seconds=2)))
    with history.cause("claim", correlation_id="test"):
        sales.begin_liquidation([loan.pk], LONG_AGO, Decimal("31.25"))
    assert said("sequence", "eventType", "status", "collateral", "ltv", "price") == [
        ("1", "application", "new", "0", "", "50"),
        ("2", "activation", "active", "40", "0.5", "50"),
        ("3", "margin-call", "active", "40", "0.714285714285714285714286", "35"),
        ("4", "margin-call-cleared", "active", "40", "0.555555555555555555555556", "45"),
        ("5", "liquidation-started", "liquidating", "40", "0.8", "31.25"),
    ]
    assert {event["loanId"] for event in told()} == {"L-1"}
    loan.refresh_from_db()
    instants = LoanEvent.objects.order_by("sequence").values_list("created_at", flat=True)
    call = MarginCall.objects.get()
    assert list(instants) == [loan.created_at, loan.activated_at, call.opened_at, call.closed_at, LONG_AGO]
    assert said("at") == [(instant_string(instant),) for instant in instants]


def test_a_posting_that_clears_a_margin_call_tells_what_the_loan_has_then(set_best_price):
    name_topic()
    set_best_price("35")
    loan = MarginCallFactory().loan
    post(loan, 60)
    assert said("eventType", "collateral") == [("margin-call-cleared", "100")]


def test_a_posting_that_changes_no_state_is_no_event(set_best_price):
    name_topic()
    set_best_price("40")
    post(LoanFactory(active=True), 1, "p-1")
    post(LoanFactory(), 1, "p-2")
    post(MarginCallFactory().loan, "0.1", "p-3")
    assert told() == []


def test_a_price_tells_all_it_changes_each_loan_with_a_number_of_its_own():
    name_topic()
    activated = [LoanFactory(collateral=Decimal(40)) for _ in range(3)]
    LoanFactory(collateral=Decimal(1))
    assert activation.activate_loans(price_point("50")) == 3
    assert said("loanId", "sequence", "status") == [(loan.loan_id, "1", "active") for loan in activated]
    assert margin_calls.call_loans(price_point("30", PRICED_AT + timedelta(seconds=1))) == 3
    assert said("loanId", "sequence", event_type="margin-call") == [(loan.loan_id, "2") for loan in activated]


def test_a_claim_that_closes_a_margin_call_does_not_say_that_it_was_cleared():
    name_topic()
    loan = MarginCallFactory().loan
    with history.cause("claim", correlation_id="test"):
        sales.begin_liquidation([loan.pk], LONG_AGO, Decimal(30))
    assert said("eventType") == [("liquidation-started",)]


def test_an_event_ends_with_its_transaction():
    name_topic()
    LoanFactory(active=True)
    with transaction.atomic():
        assert margin_calls.call_loans(price_point("30")) == 1
        transaction.set_rollback(True)
    assert not LoanEvent.objects.exists()


def test_an_event_id_is_what_anybody_can_compute_from_the_rest_of_its_text(settings):
    name_topic()
    LoanFactory(active=True)
    margin_calls.call_loans(price_point("30"))
    event = LoanEvent.objects.get()
    said = event.body.removeprefix(f'{{"eventId": "{event.event_id}", ').removesuffix("}")
    assert event.event_id == ids.loan_event_id(settings.INSTALLATION_NAMESPACE, said)


def test_what_is_written_anew_before_anybody_knows_of_a_restore_has_another_id_than_what_was_forgotten():
    """Applications are booked in books that nobody has accepted yet, and the forgotten ones may have been heard."""
    name_topic()

    def written():
        with transaction.atomic():
            apply()
            event = LoanEvent.objects.get()
            transaction.set_rollback(True)
        return event

    before, after = written(), written()
    assert (before.sequence, after.sequence) == (1, 1)
    assert after.event_id != before.event_id


@pytest.mark.parametrize("column", ["body", "event_id", "sequence", "event_type", "created_at"])
def test_the_database_refuses_to_change_what_was_told(column):
    name_topic()
    LoanFactory(active=True)
    margin_calls.call_loans(price_point("30"))
    LoanEvent.objects.update(sends=3, due_at=LONG_AGO, sent_at=LONG_AGO, message_id="m")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        LoanEvent.objects.update(**{column: LoanEvent.objects.values_list(column, flat=True).get()})


@pytest.mark.parametrize("statement", ["DELETE FROM loans_loanevent", "TRUNCATE loans_loanevent"])
def test_the_database_refuses_to_forget_what_was_told(statement):
    name_topic()
    LoanFactory(active=True)
    margin_calls.call_loans(price_point("30"))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError, match="append-only"):
            cursor.execute(statement)
