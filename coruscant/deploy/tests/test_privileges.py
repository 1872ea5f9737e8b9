"""What the service's role may do, and what it may not: found in the migrated database, not listed here."""

from io import StringIO

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from coruscant.deploy import privileges
from coruscant.deploy.management.commands import wait_until_migrated

pytestmark = pytest.mark.django_db

ALL = {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"}


def rows(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def names(kinds):
    found = rows(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = ANY(%s)", list(kinds)
    )
    return {name for (name,) in found}


def guarded():
    """Each table with what its triggers refuse, whatever the row: all history, and all that is never deleted."""
    found = rows(
        """
        SELECT tgrelid::regclass::text, tgtype FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
        WHERE proname = 'coruscant_refuse_change' AND tgattr = ''
        """
    )
    bits = {"DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}
    refused = {}
    for table, kind in found:
        refused.setdefault(table, set()).update(name for name, bit in bits.items() if kind & bit)
    return refused


@pytest.fixture
def service(stack):
    """A connection under the service's role to the database of the tests."""
    address, _, _name = stack.environment["DATABASE_URL"].rpartition("/")
    with psycopg.connect(f"{address}/{connection.settings_dict['NAME']}", autocommit=True) as link:
        yield link


def test_every_table_has_a_decision():
    assert set(privileges.of_tables()) == names("rp")


def test_the_service_has_on_every_table_exactly_what_was_decided():
    found = rows(
        """
        SELECT relname, privilege FROM pg_class, unnest(%s::text[]) AS privilege
        WHERE relname = ANY(%s) AND (has_table_privilege(%s, oid, privilege)
            OR privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
            AND has_any_column_privilege(%s, oid, privilege))
        """,
        sorted(ALL), sorted(names("rp")), privileges.SERVICE, privileges.SERVICE,
    )  # fmt: skip
    granted = {}
    for table, privilege in found:
        granted.setdefault(table, set()).add(privilege)
    assert granted == privileges.of_tables()


def test_the_service_has_no_sequence_but_the_one_that_it_asks_for_numbers():
    found = rows(
        """
        SELECT relname, privilege FROM pg_class, unnest(%s::text[]) AS privilege
        WHERE relname = ANY(%s) AND has_sequence_privilege(%s, oid, privilege)
        """,
        ["USAGE", "SELECT", "UPDATE"], sorted(names("S")), privileges.SERVICE,
    )  # fmt: skip
    name = "liquidation_evaluation_number"
    assert sorted(found) == [(name, "SELECT"), (name, "USAGE")]


def test_what_triggers_refuse_is_not_granted_either():
    decided, refused = privileges.of_tables(), guarded()
    assert len([table for table in refused if "_historical" in table]) == len(privileges.audited_models())
    assert {table: decided[table] & ways for table, ways in refused.items() if decided[table] & ways} == {}


def test_a_role_that_nobody_is_and_one_that_owns_the_tables_are_granted_nothing(monkeypatch):
    for role in ("nobody_here", connection.settings_dict["USER"]):
        monkeypatch.setattr(privileges, "SERVICE", role)
        with connection.cursor() as cursor:
            assert list(privileges.differences(cursor)) == []


def test_migrate_grants_what_is_missing_takes_what_is_too_much_and_leaves_other_tables_alone():
    rows_before = rows("SELECT relname, relacl FROM pg_class WHERE relname LIKE 'loans_%%' ORDER BY 1")
    with connection.cursor() as cursor:
        cursor.execute("REVOKE INSERT ON loans_loan FROM coruscant")
        cursor.execute("GRANT DELETE, TRIGGER ON loans_historicalloan TO coruscant")
        cursor.execute("CREATE TABLE of_the_bank_itself ()")
        cursor.execute("GRANT SELECT ON of_the_bank_itself TO coruscant")
        found = list(privileges.differences(cursor))
    assert found == [
        'REVOKE DELETE, TRIGGER ON TABLE "loans_historicalloan" FROM "coruscant"',
        'GRANT INSERT ON TABLE "loans_loan" TO "coruscant"',
    ]
    said = StringIO()
    call_command("check", databases=["default"], stderr=said)
    assert all(f"{statement}." in said.getvalue() for statement in found)

    call_command("migrate", verbosity=0)
    assert rows("SELECT relname, relacl FROM pg_class WHERE relname LIKE 'loans_%%' ORDER BY 1") == rows_before
    assert rows("SELECT has_table_privilege('coruscant', 'of_the_bank_itself', 'SELECT')") == [(True,)]


def test_the_service_waits_until_it_has_been_granted_what_it_needs(service, monkeypatch):
    with service.cursor() as cursor:
        assert privileges.missing(cursor) == []
        monkeypatch.setattr(privileges, "of_tables", lambda: {"loans_loan": frozenset({"SELECT", "DELETE"})})
        assert privileges.missing(cursor) == ["loans_loan: DELETE"]
    monkeypatch.setattr(wait_until_migrated.privileges, "missing", lambda _cursor: ["loans_loan: DELETE"])
    assert wait_until_migrated._not_ready() == "the database role lacks loans_loan: DELETE, and more"


#: Whatever would change a table, or what guards it. Each on a table and the first of its columns.
FORBIDDEN = (
    "UPDATE {table} SET {column} = {column}",
    "DELETE FROM {table}",
    "TRUNCATE {table}",
    "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "ALTER TABLE {table} DROP COLUMN {column}",
    "ALTER TABLE {table} OWNER TO coruscant",
    "DROP TRIGGER {trigger} ON {table}",
    "CREATE TRIGGER first BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION coruscant_refuse_change()",
    "CREATE RULE instead AS ON DELETE TO {table} DO INSTEAD NOTHING",
    "DROP TABLE {table}",
    "INSERT INTO {table} DEFAULT VALUES",
)


def test_the_service_can_touch_neither_history_nor_what_is_never_deleted_nor_what_guards_them(service):
    refused = guarded()
    tables = rows(
        """
        SELECT tgrelid::regclass::text, min(tgname), min(attname) FROM pg_trigger
        JOIN pg_attribute ON attrelid = tgrelid AND attnum = 1
        WHERE tgrelid::regclass::text = ANY(%s) AND NOT tgisinternal GROUP BY tgrelid
        """,
        list(refused),
    )
    assert len(tables) == len(refused) > 20
    done = []
    for table, trigger, column in tables:
        quoted = {"table": table, "trigger": trigger, "column": column}
        for statement in FORBIDDEN:
            if statement.split()[0] in privileges.of_tables()[table]:
                continue
            try:
                service.execute(
                    sql.SQL(statement).format(**{name: sql.Identifier(word) for name, word in quoted.items()})
                )
            except psycopg.errors.InsufficientPrivilege:
                continue
            done.append((table, statement))
    assert done == []


@pytest.mark.parametrize(
    "statement",
    [
        "SET session_replication_role = replica",
        "SET ROLE coruscant_owner",
        "SET SESSION AUTHORIZATION coruscant_owner",
        "ALTER ROLE coruscant SUPERUSER",
        "ALTER ROLE coruscant CREATEROLE",
        "CREATE ROLE another SUPERUSER",
        "GRANT coruscant_owner TO coruscant",
        "CREATE TABLE another ()",
        "CREATE SCHEMA another",
        "CREATE OR REPLACE FUNCTION coruscant_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "DROP FUNCTION coruscant_refuse_change() CASCADE",
        "COPY loans_loan TO PROGRAM 'cat'",
    ],
)
def test_the_service_cannot_become_more_than_it_is(service, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        service.execute(statement)


def test_the_service_cannot_give_itself_what_it_lacks(service):
    service.execute("GRANT DELETE ON loans_loan TO coruscant")  # PostgreSQL only warns
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        service.execute("DELETE FROM loans_loan")
