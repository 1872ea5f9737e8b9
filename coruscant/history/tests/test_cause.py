"""A cause lasts for its block or its transaction, and leaks into nothing."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from coruscant import history
from coruscant.history.cause import COLUMNS, cause_of
from loans.models import Loan
from loans.tests.factories import LoanFactory

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def reason():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('coruscant.reason', true)")
        return cursor.fetchone()[0] or None


def write(borrower):
    Loan.objects.update(borrower_id=borrower)


def reasons():
    return list(Loan.history.order_by("history_id").values_list("history_change_reason", "history_actor")[1:])


@pytest.mark.django_db(transaction=True)
def test_a_cause_ends_with_its_transaction_in_a_session_that_is_used_again():
    LoanFactory()
    with history.cause("one", correlation_id="1"):
        write("one")
    pid = connection.connection.info.backend_pid
    assert reason() is None
    with pytest.raises(IntegrityError, match="without a cause"):
        write("two")
    assert connection.connection.info.backend_pid == pid
    assert reasons() == [("one 1", "system")]


@pytest.mark.django_db(transaction=True)
def test_a_cause_ends_with_a_transaction_that_fails():
    LoanFactory()

    def fail():
        with history.cause("one", correlation_id="1"):
            write("one")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert reason() is None
    with pytest.raises(IntegrityError, match="without a cause"):
        write("two")
    assert reasons() == []


@pytest.mark.django_db(transaction=True)
def test_a_cause_within_another_leaves_the_outer_one_in_force():
    LoanFactory()

    def fail():
        with history.cause("failing", correlation_id="3"):
            write("undone")
            raise RuntimeError

    with history.cause("outer", correlation_id="1"):
        with history.cause("inner", correlation_id="2"):
            write("inner")
        write("outer")
        with pytest.raises(RuntimeError):
            fail()
        write("outer again")
    assert reasons() == [("inner 2", "system"), ("outer 1", "system"), ("outer 1", "system")]


@pytest.mark.django_db(transaction=True)
def test_a_cause_within_a_transaction_without_one_leaves_none():
    LoanFactory()
    with transaction.atomic():
        with history.cause("inner", correlation_id="2"):
            write("inner")
        assert reason() is None
        with pytest.raises(IntegrityError, match="without a cause"), transaction.atomic():
            write("outer")


@pytest.mark.django_db(transaction=True)
def test_whoever_acts_is_named_by_every_cause_of_a_block_and_by_none_after_it():
    LoanFactory()
    with history.acting_as("ahsoka", 7):
        with history.cause("posting", correlation_id="1"):
            write("one")
        with history.cause("posting", correlation_id="2"):
            write("two")
    with history.cause("claim", correlation_id="3"):
        write("three")
    assert reasons() == [("posting 1", "ahsoka"), ("posting 2", "ahsoka"), ("claim 3", "system")]
    assert list(Loan.history.order_by("history_id").values_list("history_user_id", flat=True)[1:]) == [7, 7, None]


@pytest.mark.django_db(transaction=True)
def test_a_transaction_may_have_several_causes_one_after_the_other():
    LoanFactory()
    with transaction.atomic():
        history.set_cause("publish", correlation_id="a")
        write("one")
        history.set_cause("publish", correlation_id="b")
        write("two")
    assert [found for found, _actor in reasons()] == ["publish a", "publish b"]
    assert reason() is None


@pytest.mark.django_db(transaction=True)
def test_a_cause_for_a_transaction_wants_one():
    with pytest.raises(RuntimeError, match="none is open"):
        history.set_cause("publish", correlation_id="a")


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_locks_may_name_the_cause_but_not_for_a_row_that_is_not_there():
    loan = LoanFactory()
    parameters = cause_of("sell", "e-1").parameters
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {COLUMNS} FROM loans_loan WHERE id = %(id)s FOR UPDATE", {**parameters, "id": 0})
        assert reason() is None
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {COLUMNS} FROM loans_loan WHERE id = %(id)s FOR UPDATE", {**parameters, "id": loan.pk}
            )
        assert reason() == "sell e-1"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", [1, 2])
def test_tests_that_commit_begin_with_an_empty_database(attempt):
    assert Loan.objects.count() == 0
    assert LoanFactory().debt_per_unit is None
