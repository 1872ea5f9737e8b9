"""What is installed is what the models ask for, and the check says so if it is not."""

import pytest
from django.core.checks import Tags, run_checks
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from coruscant.history.checks import history_is_written

pytestmark = pytest.mark.django_db


def sql(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


def found():
    return [(error.obj.__name__, error.msg) for error in history_is_written(databases=["default"])]


def test_the_migrations_install_what_the_models_ask_for():
    assert found() == []
    assert run_checks(tags=[Tags.database], databases=["default"]) == []


@pytest.mark.parametrize(
    ("statement", "difference"),
    [
        ("DROP TRIGGER loans_loan_insert ON loans_loan", "The trigger loans_loan_insert of loans_loan is missing."),
        (
            "ALTER TABLE loans_loan DISABLE TRIGGER loans_loan_update",
            "The trigger loans_loan_update of loans_loan is disabled.",
        ),
        (
            "DROP TRIGGER loans_loan_refuses_delete ON loans_loan",
            "The trigger loans_loan_refuses_delete of loans_loan is missing.",
        ),
        (
            "DROP TRIGGER loans_historicalloan_refuses_change ON loans_historicalloan",
            "The trigger loans_historicalloan_refuses_change of loans_historicalloan is missing.",
        ),
        (
            "CREATE OR REPLACE TRIGGER loans_loan_update AFTER UPDATE ON loans_loan FOR EACH ROW"
            " WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION loans_loan_history()",
            "The trigger loans_loan_update of loans_loan compares other columns.",
        ),
        (
            "ALTER FUNCTION loans_loan_history() SECURITY INVOKER",
            "The function loans_loan_history is not SECURITY DEFINER with a fixed search_path.",
        ),
        (
            "CREATE OR REPLACE FUNCTION loans_loan_history() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
            " SET search_path = pg_catalog, pg_temp AS $$ BEGIN RETURN NULL; END $$",
            "The function loans_loan_history copies other columns, or by other rules.",
        ),
        ("DROP FUNCTION loans_loan_history() CASCADE", "There is no function loans_loan_history."),
    ],
)
def test_a_difference_is_an_error(statement, difference):
    sql(statement)
    assert found() == [("Loan", difference)]
    with pytest.raises(CommandError, match=r"history\.E001"):
        call_command("check", databases=["default"])


def test_nothing_is_said_while_migrations_are_to_come():
    sql("DROP TRIGGER loans_loan_insert ON loans_loan")
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("loans", max(name for app, name in recorder.applied_migrations() if app == "loans"))
    assert found() == []
