"""The audit trail: every change is kept, with its cause, in tables that only grow."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import InternalError, connection, transaction
from django.db.utils import IntegrityError

from coruscant.history import audit
from loans.models import Loan

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def make_loan(loan_id: str = "L1") -> Loan:
    with audit.cause("application", correlation_id="req-1"):
        return Loan.objects.create(
            loan_id=loan_id,
            borrower_id="B1",
            amount=Decimal(1000),
            outstanding_balance=Decimal(1000),
            request_id="req-1",
            created_at=NOW,
        )


@pytest.mark.django_db
def test_a_change_is_kept_with_its_cause():
    loan = make_loan()
    with audit.cause("posting", correlation_id="req-2", actor_name="ahsoka", actor_id=7):
        loan.collateral = Decimal(40)
        loan.save()
    created, changed = loan.history.order_by("history_id")
    assert (created.history_type, created.history_change_reason, created.history_actor) == (
        "+",
        "application req-1",
        "system",
    )
    assert (changed.history_type, changed.history_change_reason, changed.history_actor) == (
        "~",
        "posting req-2",
        "ahsoka",
    )
    assert changed.history_user_id == 7
    assert changed.collateral == Decimal(40)


@pytest.mark.django_db
def test_a_change_without_a_cause_is_refused():
    loan = make_loan()
    with pytest.raises(audit.NoCause):
        loan.save()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    ["UPDATE loans_historicalloan SET amount = 1", "DELETE FROM loans_historicalloan", "TRUNCATE loans_historicalloan"],
)
def test_the_database_refuses_to_rewrite_history(statement):
    make_loan()
    with (
        pytest.raises((IntegrityError, InternalError), match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert Loan.history.count() == 1


@pytest.mark.django_db
def test_bulk_history_equals_what_save_writes():
    loan = make_loan()
    again = "UPDATE loans_loan SET request_id = request_id WHERE id = ANY(%(loans)s)"
    with audit.cause("again", correlation_id="req-3"):
        assert audit.write_recorded(Loan, again, {"loans": [loan.pk]}, audit.CHANGED) == [loan.pk]
    first, second = Loan.history.order_by("history_id").values()
    same = {"history_id", "history_date", "history_type", "history_change_reason"}
    assert {k: v for k, v in first.items() if k not in same} == {k: v for k, v in second.items() if k not in same}
    assert second["history_change_reason"] == "again req-3"


@pytest.mark.django_db
def test_rows_written_with_their_history_in_one_statement_are_as_save_would_have_written_them(
    django_assert_num_queries,
):
    plain = make_loan()
    row = Loan(**{field: getattr(plain, field) for field in ("borrower_id", "amount", "outstanding_balance")})
    row.loan_id, row.request_id, row.created_at = "other", "req-5", plain.created_at
    with audit.cause("application", correlation_id="req-5"), django_assert_num_queries(1):
        audit.create(row)
    assert not row._state.adding
    own = ("id", "loan_id", "request_id", "history_id", "history_date", "history_change_reason")
    first, second = (Loan.history.filter(id=pk).values().get() for pk in (plain.pk, row.pk))
    assert {k: v for k, v in first.items() if k not in own} == {k: v for k, v in second.items() if k not in own}
    row.outstanding_balance, row.borrower_id = Decimal("0.5"), "not named, not written"
    with audit.cause("sell", correlation_id="event-1"), django_assert_num_queries(1):
        audit.save(row, "outstanding_balance")
    row.refresh_from_db()
    assert (row.outstanding_balance, row.borrower_id) == (Decimal("0.5"), plain.borrower_id)
    newest = row.history.order_by("-history_id").first()
    assert (newest.outstanding_balance, newest.borrower_id) == (Decimal("0.5"), plain.borrower_id)
    assert (newest.history_type, newest.history_change_reason, row.history.count()) == ("~", "sell event-1", 2)


@pytest.mark.django_db
def test_a_bulk_write_needs_a_cause_and_keeps_what_it_made_of_the_row():
    loan = make_loan()
    shrink = "UPDATE loans_loan SET outstanding_balance = 1 WHERE id = ANY(%(loans)s)"
    with pytest.raises(audit.NoCause):
        audit.write_recorded(Loan, shrink, {"loans": [loan.pk]}, audit.CHANGED)
    with audit.cause("shrink", correlation_id="req-4", actor_name="Fennec", actor_id=7):
        assert audit.write_recorded(Loan, shrink, {"loans": [loan.pk, loan.pk + 1]}, audit.CHANGED) == [loan.pk]
    newest = Loan.history.order_by("-history_id").first()
    assert (newest.outstanding_balance, newest.history_type) == (1, "~")
    assert (newest.history_actor, newest.history_user_id, newest.history_change_reason) == ("Fennec", 7, "shrink req-4")
    assert Loan.history.count() == 2


@pytest.mark.django_db
def test_history_is_indexed_by_the_row_it_is_of_and_by_nothing_else():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename, array_agg(substring(indexdef FROM '\\((.*)\\)') ORDER BY indexdef) FROM pg_indexes"
            " WHERE tablename ~ '_historical' GROUP BY tablename"
        )
        found = dict(cursor.fetchall())
    assert len(found) == 6
    assert all(sorted(columns) == ["history_id", "id"] for columns in found.values()), found


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", [1, 2])
def test_tests_that_commit_begin_with_an_empty_database(attempt):
    assert Loan.objects.count() == 0
    assert make_loan().debt_per_unit is None
