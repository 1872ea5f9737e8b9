"""A database of the release before migrates forward with its data, and back again: docs/upgrading.md."""

import json
import uuid
from io import StringIO

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from coruscant.history import cause
from liquidation import invariants
from loans.models import Loan
from local.stack.postgres import OWNER, ROLE
from proofs.service.copies import drop, fresh_copy

DATABASE = "upgrade"
#: The last migrations of the release before, in the order in which an operator goes back to them.
RELEASE_BEFORE = (
    ("otp_static", "zero"), ("otp_totp", "zero"),
    ("axes", "zero"), ("desk", "zero"), ("approvals", "zero"), ("liquidation", "0006"), ("controls", "zero"),
    ("restores", "zero"), ("loans", "0005"), ("pricing", "0003"),
)  # fmt: skip
NEW_TABLES = {
    "pricing_judgedfeed": "pricing_feedevaluation",
    "loans_loanwarning": "loans_margincall",
    "loans_historicalloanwarning": "loans_historicalmargincall",
}
NEW_COLUMNS = {
    "swept_at": "evaluated_at",
    "judged_to": "known_drained_to",
    "judged_from": "prices_apply_from",
    "rung_at": "enqueued_at",
}
#: What is not compared: columns that only one of the releases has, and tables that only this one has.
IN_ONE_RELEASE = ["history_session_user", "last_outcome", "last_answer", "misfit"]
IN_ONE_RELEASE += ["effective_from", "alone", "confirmed_by", "body_sha256"]
IN_ONE_RELEASE += ["held_by_id", "orders_may_be_missing", "number", "refusals_prove_nothing"]
IN_ONE_RELEASE += ["terms_id", "activation_price"]
NEW_IN_THIS_RELEASE = {
    "liquidation_orderanswer", "liquidation_reconciliation", "liquidation_reconciliationdifference",
    "liquidation_historicalreconciliationdifference", "liquidation_statementtrade", "pricing_priceguard",
    "pricing_heldjump", "loans_loanterms", "loans_loanevent", "loans_loaneventtopic", "liquidation_withheldclaim",
    "loans_marginnotice", "loans_apiclient", "loans_historicalapiclient", "loans_credentialuse",
}  # fmt: skip
EARLIER, NOW, LATER = (f"2026-11-25T{hour}:00:00+00:00" for hour in (10, 11, 12))


def query(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def write(table, **row):
    """Insert a row, and its history if the table has one, as the release before did. Returns the row's id, if any."""
    columns, marks = ", ".join(row), ", ".join(["%s"] * len(row))
    [(written,)] = query(
        f"INSERT INTO {table} ({columns}) VALUES ({marks}) RETURNING to_jsonb({table})",
        *row.values(),
    )
    key = json.loads(written).get("id")
    _copy_into_history(table, key, "+")
    return key


def change(table, key, **row):
    """Change a row and write its history, as the release before did."""
    columns = ", ".join(f"{column} = %s" for column in row)
    query(f"UPDATE {table} SET {columns} WHERE id = %s", *row.values(), key)
    _copy_into_history(table, key, "~")


def _copy_into_history(table, key, kind):
    history = table.replace("_", "_historical", 1)
    copied = ", ".join(column for column in columns_of(history) if not column.startswith("history_"))
    if copied:
        query(
            f"INSERT INTO {history} ({copied}, history_date, history_type, history_change_reason, history_actor)"
            f" SELECT {copied}, clock_timestamp(), %s, 'some cause', 'system' FROM {table} WHERE id = %s",
            kind,
            key,
        )


def columns_of(table):
    """The columns of a table; none if there is no such table."""
    found = query(
        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped", table
    )
    return [column for (column,) in found]


def lend(name, *, collateral=None, active=True):
    """A loan of 1000 GC."""
    loan = write(
        "loans_loan",
        loan_id=name,
        borrower_id="B",
        request_id=f"a-{name}",
        created_at=EARLIER,
        status="new",
        amount=1000,
        outstanding_balance=1000,
        collateral=0,
    )
    accept(loan, "loan-applications", f"a-{name}")
    if collateral:
        write("loans_collateralposting", loan_id=loan, amount=collateral, request_id=f"c-{name}", created_at=EARLIER)
        accept(loan, "collateral-top-ups", f"c-{name}")
        change("loans_loan", loan, collateral=collateral)
    if active:
        change("loans_loan", loan, status="active", activated_at=EARLIER, judged_from=EARLIER)
    return loan


def accept(loan, endpoint, request_id):
    row = {"loan_id": loan, "endpoint": endpoint, "request_id": request_id, "created_at": EARLIER}
    write("loans_acceptedrequest", **row, client="otc", content_digest="0" * 64, response_body="{}")


def call_margin(loan, **closed):
    """A margin call at 30 GC a unit, and how it was closed."""
    row = {"loan_id": loan, "price": 30, "price_at": EARLIER, "opened_at": EARLIER, "close_reason": ""}
    call = write("loans_loanwarning", **row, outstanding_balance=1000, collateral=40)
    if closed:
        change("loans_loanwarning", call, **closed)


def claim(loan):
    """A liquidation that sells 40 units and is due now."""
    change("loans_loan", loan, status="liquidating")
    return write(
        "liquidation_liquidation",
        loan_id=loan,
        status="selling",
        correlation_id="mos_espa:1",
        evidence=json.dumps({"sell": "25"}),
        price=25,
        price_at=EARLIER,
        balance_at_claim=1000,
        collateral_at_claim=40,
        claimed_at=EARLIER,
        collateral_sold=0,
        proceeds=0,
        fence=3,
        leased_until=NOW,
        due_at=LATER,
        rung_at=NOW,
    )


def order(liquidation, sequence, **answer):
    """An order of ten units, and how it was answered."""
    key = write(
        "liquidation_tradeorder",
        liquidation_id=liquidation,
        sequence=sequence,
        market="mos_espa",
        request_id=str(uuid.uuid4()),
        quantity=10,
        quoted_unit_price=25,
        payload="{}",
        status="open",
        venue_order_id="",
        last_outcome="",
        last_answer="",
        misfit="",
        created_at=EARLIER,
        sends=1,
        due_at=LATER,
    )
    if answer:
        change("liquidation_tradeorder", key, **answer)


def fill(liquidation, loan, sequence, *, sold, proceeds):
    """An order of ten units filled at 25 GC each; `sold` units for `proceeds` are sold with it."""
    order(liquidation, sequence, status="filled", units_traded=10, proceeds=250, answered_at=NOW, venue_order_id="O")
    change("loans_loan", loan, collateral=40 - sold, outstanding_balance=1000 - proceeds)
    change("liquidation_liquidation", liquidation, collateral_sold=sold, proceeds=proceeds)


def settle(liquidation, loan, name):
    """Nothing is left of 40 units that brought 1000 GC; the event waits to be sent."""
    change("loans_loan", loan, status="liquidated")
    figures = {"surplus": 0, "shortfall": 0, "collateral_left": 0}
    change("liquidation_liquidation", liquidation, status="settled", settled_at=NOW, **figures)
    event_id = str(uuid.uuid4())
    body = {"eventId": event_id, "eventType": "liquidation", "loanId": name, "collateralSold": "40"}
    body |= {"collateralSoldValue": "1000", "outstandingCollateral": "0", "outstandingBalance": "0"}
    write(
        "liquidation_liquidationevent",
        liquidation_id=liquidation,
        event_id=event_id,
        body=json.dumps(body),
        created_at=NOW,
        message_id="",
        sends=1,
        due_at=LATER,
        rung_at=NOW,
    )


def write_prices():
    """A quote of each kind, and what is known of the feeds."""
    times = {"sent_at": EARLIER, "received_at": EARLIER}
    quote = {"market_time": 1, "sell": '{"1": "30"}', "buy": '{"1": "31"}', "too_late": False} | times
    for number, kind in enumerate(({"swept_at": NOW}, {"swept_at": NOW, "too_late": True}, {})):
        write("pricing_pricequote", market="mos_espa", message_id=f"M{number}", **quote | kind)
    counts = {"received": 6, "quotes": 3, "duplicates": 1, "skipped": 1, "rejected": 1, "pruned": 0}
    write("pricing_feed", market="mos_espa", drained_to=NOW, **counts)
    write("pricing_feed", market="black_spire_outpost", **dict.fromkeys(counts, 0))
    write("pricing_judgedfeed", market="mos_espa", judged_to=NOW)
    write("pricing_rejectedmessage", market="mos_espa", queue="Q", message_id="R", body="?", reason="no JSON", **times)


def write_a_client():
    """A client of the API with a credential."""
    names = dict.fromkeys(("first_name", "last_name", "email"), "")
    flags = {"is_superuser": False, "is_staff": False, "is_active": True}
    user = write("auth_user", username="otc", password="!", date_joined=EARLIER, **names, **flags)
    write("knox_authtoken", digest="0" * 128, token_key="0" * 8, user_id=user, created=EARLIER)


def write_a_book():
    """Rows of every kind, in the words of the release before."""
    lend("new", active=False)
    write(
        "liquidation_claimfailure",
        loan_id=lend("active", collateral="40.000000000000000000000001"),
        price=20,
        reason="?",
        failed_at=NOW,
    )
    margin_called = lend("margin called", collateral=40)
    call_margin(margin_called, closed_at=NOW, close_reason="cleared", cleared_to=NOW)
    call_margin(margin_called)
    for name, last_order in (
        ("open", {}),
        ("unknown", {"status": "unknown", "last_outcome": "success", "last_answer": "11 of 10", "misfit": "11 of 10"}),
    ):
        loan = lend(name, collateral=40)
        call_margin(loan, closed_at=NOW, close_reason="claimed")
        liquidation = claim(loan)
        order(liquidation, 1, status="refused", answered_at=NOW)
        fill(liquidation, loan, 2, sold=10, proceeds=250)
        order(liquidation, 3, **last_order)
    loan = lend("settled", collateral=40)
    liquidation = claim(loan)
    for sequence in range(1, 5):
        fill(liquidation, loan, sequence, sold=10 * sequence, proceeds=250 * sequence)
    settle(liquidation, loan, "settled")
    write("liquidation_venue", market="mos_espa", failures_in_row=4, paused_until=NOW)
    write_prices()
    query("SELECT setval('liquidation_sweep_number', 47)")


def rows(*, rename=False):
    """Every row of the tables of both releases as JSON, without the columns that only one of them has.

    With `rename`, tables and columns of the release before go by their names of today.
    """
    tables, columns = (NEW_TABLES, NEW_COLUMNS) if rename else ({}, {})
    return {
        tables.get(table, table): sorted(
            json.dumps(
                {columns.get(name, name): value for name, value in json.loads(row, parse_float=str).items()},
                sort_keys=True,
            )
            for (row,) in query(f"SELECT to_jsonb({table}) - %s::text[] FROM {table}", IN_ONE_RELEASE)
        )
        for (table,) in query("SELECT tablename FROM pg_tables WHERE tablename ~ '^(pricing|loans|liquidation)_'")
        if table not in NEW_IN_THIS_RELEASE
    }


def schema():
    """Columns, constraints, indexes, triggers and functions, each as PostgreSQL describes it."""
    return set(
        query(
            r"""
            SELECT attrelid::regclass::text, attname || ' ' || format_type(atttypid, atttypmod) || attnotnull
            FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S') AND attnum > 0 AND NOT attisdropped
            UNION ALL SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
            UNION ALL SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'
            UNION ALL SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
            UNION ALL SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            """
        )
    )


def files():
    """The files that hold the tables: a table that is rewritten gets another."""
    return set(query("SELECT relfilenode FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"))


def migrate(*target):
    call_command("migrate", *target, verbosity=0)


def migrate_to_the_release_before():
    for app, migration in RELEASE_BEFORE:
        migrate(app, migration)


def connect_as(role):
    """Let Django's connection be that of another role."""
    connection.close()
    connection.settings_dict |= {"USER": role, "PASSWORD": role}


@pytest.fixture
def old_rows(stack, django_db_blocker):
    """The rows of a database of the release before, to which Django is connected."""
    usual = connection.settings_dict["NAME"]
    fresh_copy(stack, database=DATABASE, template="template1")
    connection.close()
    connection.settings_dict["NAME"] = DATABASE
    ContentType.objects.clear_cache()
    try:
        with django_db_blocker.unblock():
            for app in ("contenttypes", "auth", "admin", "knox", "sessions"):
                migrate(app)
            migrate_to_the_release_before()
            with transaction.atomic():
                write_a_book()
                write_a_client()
            yield rows(rename=True)
    finally:
        connect_as(OWNER)
        connection.settings_dict["NAME"] = usual
        ContentType.objects.clear_cache()
        drop(stack, DATABASE)


def test_a_database_of_the_release_before_migrates_forward_with_its_data_and_back(old_rows):
    old_schema, old_files = schema(), files()
    assert not [table for table, found in old_rows.items() if not found], "every table has rows to lose"

    migrate()
    connect_as(ROLE)
    assert rows() == old_rows
    assert files() >= old_files
    assert query("SELECT send, kind, text, stale FROM liquidation_orderanswer") == [(1, "success", "11 of 10", False)]
    assert query("SELECT username, scope FROM loans_apiclient JOIN auth_user u ON u.id = user_id") == [("otc", "all")]
    assert query("SELECT nextval('liquidation_evaluation_number')") == [(48,)]
    assert_all_is_well()
    with pytest.raises(IntegrityError, match="written without a cause"):
        Loan.objects.filter(loan_id="active").update(borrower_id="C")
    before = Loan.objects.get(loan_id="active")
    with cause("correct", correlation_id="ticket 4711"):
        Loan.objects.filter(loan_id="active").update(borrower_id="C")
    newest, previous = before.history.order_by("-history_id")[:2]
    assert newest.diff_against(previous).changed_fields == ["borrower_id"]
    assert (newest.history_session_user, previous.history_session_user) == (ROLE, None)
    assert before.history.as_of(previous.history_date).borrower_id == "B"
    new_rows = rows()

    connect_as(OWNER)
    migrate_to_the_release_before()
    assert schema() == old_schema
    assert rows(rename=True) == new_rows
    change("loans_loan", before.pk, borrower_id="D")

    migrate()
    connect_as(ROLE)
    assert_all_is_well()
    assert [entry.borrower_id for entry in before.history.order_by("-history_id")[:3]] == ["D", "C", "B"]


def assert_all_is_well():
    """The invariants hold, that history rebuilds the rows among them, and the triggers are what the models ask for."""
    assert not [finding for finding in invariants.check(at_every_moment=True) if finding.violations]
    call_command("check", databases=["default"], stdout=StringIO())
