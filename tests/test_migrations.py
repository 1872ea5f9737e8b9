"""What migrations do to a bank that is open, read from their SQL by squawk: long locks, and columns that go or change
under processes of the release before."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from tests.compose import ROOT

SQUAWK = Path(sys.executable).with_name("squawk")
#: The last migration of each app that was read by hand; docs/upgrading.md says what these ask for. One that needs what
#: squawk forbids is described there, and listed here.
READ_BY_HAND = {
    "approvals": "0001", "controls": "0001", "desk": "0004", "liquidation": "0017", "loans": "0017", "pricing": "0006",
    "restores": "0001",
}  # fmt: skip
NOT_OURS = (
    "require-lock-timeout", "require-statement-timeout",  # the service's connections and roles have time-outs
    "prefer-robust-stmts",  # Django knows which migrations have run
    "prefer-text-field", "prefer-bigint-over-int", "prefer-identity",  # of how Django makes columns
)  # fmt: skip


def squawk(statements, *, atomic=True):
    """What squawk says of some SQL."""
    transaction = ["--assume-in-transaction"] if atomic else []
    command = [SQUAWK, "--reporter", "gcc", "--pg-version", "18.0", "--exclude", ",".join(NOT_OURS), *transaction]
    read = subprocess.run(command, input=statements, capture_output=True, text=True, check=False)
    assert read.returncode in {0, 1}, read.stderr
    return read.stdout


@pytest.mark.django_db(transaction=True)  # what is built concurrently asks for no transaction
def test_migrations_that_nobody_has_read_lock_no_table_for_long_and_break_no_process_of_the_release_before():
    loader = MigrationLoader(connection)
    ours = {app.label for app in apps.get_app_configs() if (ROOT / app.name.partition(".")[0]).is_dir()}
    new = [
        migration
        for (app, name), migration in loader.disk_migrations.items()
        if app in ours and name[:4] > READ_BY_HAND.get(app, "0000")
    ]
    assert ("pricing", "0007_rejected_bodies") in {(migration.app_label, migration.name) for migration in new}
    found = {}
    for migration in new:
        statements = "\n".join(loader.collect_sql([(migration, False)]))
        found[str(migration)] = squawk(statements, atomic=migration.atomic)
    assert found == dict.fromkeys(found, "")


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ('CREATE INDEX i ON loans_loan ("amount");', "require-concurrent-index-creation"),
        ("ALTER TABLE loans_loan ALTER COLUMN amount TYPE text;", "changing-column-type"),
        ("ALTER TABLE loans_loan DROP COLUMN amount;", "ban-drop-column"),
        ("ALTER TABLE loans_loan RENAME COLUMN amount TO owed;", "renaming-column"),
        ("ALTER TABLE loans_loan ADD COLUMN owed numeric NOT NULL;", "adding-required-field"),
        ("ALTER TABLE loans_loan ALTER COLUMN owed SET NOT NULL;", "adding-not-nullable-field"),
        ("ALTER TABLE loans_loan ADD CONSTRAINT c CHECK (amount > 0);", "constraint-missing-not-valid"),
    ],
)
def test_what_would_stop_the_bank_is_found(statement, rule):
    assert rule in squawk(statement)
