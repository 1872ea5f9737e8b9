"""Every change of an audited row is in its history, with its cause, whoever writes it and however."""

from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from coruscant import history
from coruscant.history.records import audited_columns, audited_models, history_of
from liquidation.models import Liquidation
from loans.models import CollateralPosting, Loan

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WITHOUT_A_CAUSE = "table loans_loan was written without a cause"


def loan(loan_id="L1"):
    return Loan(
        loan_id=loan_id, borrower_id="B1", amount=Decimal(1000), outstanding_balance=Decimal(1000),
        request_id="req-1", created_at=NOW, terms_id=1,
    )  # fmt: skip


@pytest.fixture
def made(db):
    with history.cause("application", correlation_id="req-1"):
        row = loan()
        row.save()
    return row


def sql(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def newest(row):
    return row.history.order_by("-history_id").first()


def test_a_saved_row_is_kept_with_its_cause(made):
    with history.acting_as("ahsoka", 7), history.cause("posting", correlation_id="req-2"):
        made.collateral = Decimal(40)
        made.save()
    created, changed = made.history.order_by("history_id")
    assert (created.history_type, created.history_change_reason, created.history_actor, created.history_user_id) == (
        "+", "application req-1", "system", None,
    )  # fmt: skip
    assert (changed.history_type, changed.history_change_reason, changed.history_actor, changed.history_user_id) == (
        "~", "posting req-2", "ahsoka", 7,
    )  # fmt: skip
    assert (created.collateral, changed.collateral) == (Decimal(0), Decimal(40))
    assert changed.history_date >= created.history_date


def test_history_names_the_role_of_the_session_which_nobody_can_set(made):
    with history.cause("posting", correlation_id="req-2"):
        Loan.objects.update(collateral=1)
    assert newest(made).history_session_user == connection.settings_dict["USER"]


@pytest.mark.parametrize("model", audited_models(), ids=lambda model: model._meta.label)
def test_every_audited_column_is_copied(model):
    columns = {field.column for field in history_of(model)._meta.local_concrete_fields}
    kept = {column for column in columns if not column.startswith("history_")}
    assert kept == set(audited_columns(model))
    own = {field.column for field in model._meta.local_concrete_fields}
    bookkeeping = {"debt_per_unit", "fence", "leased_until", "due_at", "enqueued_at", "sends"}
    # Of a restore, which has a history of its own.
    bookkeeping |= {"held_by_id", "orders_may_be_missing", "refusals_prove_nothing"}
    assert own - kept == own & bookkeeping, "a column that history leaves out is bookkeeping or generated"


def test_bulk_writes_of_the_orm_are_kept(db):
    with history.cause("application", correlation_id="req-3"):
        rows = Loan.objects.bulk_create([loan("a"), loan("b"), loan("c")])
        Loan.objects.filter(loan_id__in="ab").update(collateral=7)
        for row in rows:
            row.borrower_id = "other"
        Loan.objects.bulk_update(rows, ["borrower_id"])
    assert [row.history.count() for row in rows] == [3, 3, 2]
    assert {newest(row).borrower_id for row in rows} == {"other"}
    assert {newest(row).history_change_reason for row in rows} == {"application req-3"}


def test_a_statement_in_psql_is_kept_too(made):
    with transaction.atomic():
        sql("SELECT set_config('coruscant.reason', 'repair ticket-9', true),"
            " set_config('coruscant.actor_name', 'a person at the console', true)")  # fmt: skip
        sql("UPDATE loans_loan SET borrower_id = 'corrected'")
    kept = newest(made)
    assert (kept.borrower_id, kept.history_change_reason, kept.history_actor) == (
        "corrected", "repair ticket-9", "a person at the console",
    )  # fmt: skip


@pytest.mark.parametrize(
    "write",
    [
        lambda row: loan("other").save(),
        lambda row: row.save(),
        lambda row: Loan.objects.update(borrower_id="x"),
        lambda row: Loan.objects.bulk_create([loan("other")]),
        lambda row: sql("UPDATE loans_loan SET borrower_id = 'x'"),
    ],
    ids=["insert", "save", "update", "bulk_create", "psql"],
)
def test_a_change_without_a_cause_is_refused(made, write):
    made.borrower_id = "x"
    with pytest.raises(IntegrityError, match=WITHOUT_A_CAUSE), transaction.atomic():
        write(made)
    assert (Loan.objects.get().borrower_id, Loan.history.count()) == ("B1", 1)


def test_an_update_that_changes_nothing_needs_no_cause_and_is_not_history(made):
    Loan.objects.update(borrower_id="B1", collateral=Decimal("0.000"))
    made.save()
    assert Loan.history.count() == 1


def test_bookkeeping_needs_no_cause_and_is_not_history(made):
    with history.cause("claim", correlation_id="e-1"):
        liquidation = Liquidation.objects.create(
            loan=made, terms_id=1, correlation_id="e-1", price=1, price_at=NOW, evidence=[], balance_at_claim=1,
            collateral_at_claim=1, claimed_at=NOW, due_at=NOW,
        )  # fmt: skip
    liquidation.fence, liquidation.leased_until, liquidation.due_at, liquidation.enqueued_at = 3, NOW, NOW, NOW
    liquidation.save()
    assert liquidation.history.count() == 1
    with (
        pytest.raises(IntegrityError, match="liquidation_liquidation was written without a cause"),
        transaction.atomic(),
    ):
        Liquidation.objects.update(fence=4, evidence=[{"market": "mos_espa"}])
    assert Liquidation.objects.get().fence == 3


def test_a_write_of_several_tables_in_one_statement_is_kept_in_each(made):
    with history.cause("posting", correlation_id="req-4"):
        sql("WITH changed AS (UPDATE loans_loan SET collateral = 5 RETURNING id)"
            " INSERT INTO loans_collateralposting (loan_id, amount, request_id, created_at)"
            " SELECT id, 5, 'req-4', %s FROM changed", NOW)  # fmt: skip
    assert newest(made).collateral == 5
    assert CollateralPosting.history.get().history_change_reason == "posting req-4"


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        ("loans_historicalloan", "UPDATE loans_historicalloan SET amount = 1"),
        ("loans_historicalloan", "DELETE FROM loans_historicalloan"),
        ("loans_historicalloan", "TRUNCATE loans_historicalloan"),
        ("loans_loan", "DELETE FROM loans_loan"),
        ("loans_loan", "TRUNCATE loans_loan CASCADE"),
    ],
)
def test_the_database_refuses_to_take_anything_back(made, table, statement):
    sql("SET CONSTRAINTS ALL IMMEDIATE")  # else TRUNCATE would fail because foreign keys are still to be checked
    with history.cause("cleaning", correlation_id=""), pytest.raises(IntegrityError) as refused, transaction.atomic():
        sql(statement)
    assert "is append-only" in str(refused.value)
    assert (Loan.objects.count(), Loan.history.count()) == (1, 1)


def test_history_is_indexed_by_the_row_it_is_of_and_by_nothing_else(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename, array_agg(substring(indexdef FROM '\\((.*)\\)') ORDER BY indexdef) FROM pg_indexes"
            " WHERE tablename ~ '_historical' GROUP BY tablename"
        )
        found = dict(cursor.fetchall())
    assert len(found) == len(audited_models())
    assert all(sorted(columns) == ["history_id", "id"] for columns in found.values()), found


def test_what_simple_history_is_good_at_works(made):
    before = newest(made).history_date
    with history.cause("posting", correlation_id="req-2"):
        made.collateral, made.borrower_id = Decimal(40), "B2"
        made.save()
    assert Loan.history.as_of(before).get().collateral == 0
    changed, created = made.history.all()
    assert {change.field for change in changed.diff_against(created).changes} == {"collateral", "borrower_id"}


@pytest.mark.django_db(transaction=True)
def test_a_role_that_may_not_touch_history_still_leaves_it(stack):
    with history.cause("application", correlation_id="req-1"):
        row = loan()
        row.save()
    url = stack.superuser_database_url.rpartition("/")[0] + "/" + connection.settings_dict["NAME"]
    with psycopg.connect(url) as superuser:
        role = superuser.info.user
        superuser.execute("CREATE ROLE history_test_writer")
        superuser.execute("GRANT SELECT, UPDATE ON loans_loan TO history_test_writer")
        superuser.execute("SET LOCAL ROLE history_test_writer")
        superuser.execute("SELECT set_config('coruscant.reason', 'by hand', true)")
        superuser.execute("UPDATE loans_loan SET borrower_id = 'by a writer'")
        superuser.execute("RESET ROLE")
        superuser.execute("DROP OWNED BY history_test_writer")
        superuser.execute("DROP ROLE history_test_writer")
    kept = newest(row)
    assert (kept.borrower_id, kept.history_change_reason, kept.history_actor) == ("by a writer", "by hand", "postgres")
    assert kept.history_session_user == role != connection.settings_dict["USER"]
