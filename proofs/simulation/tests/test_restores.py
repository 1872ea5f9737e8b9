"""Books that go back in a schedule, and what must hold then."""

import pytest
from django.contrib.auth.models import User
from django.db import connection

from coruscant.restores import identity
from liquidation.reconciliation import release
from loans.models import Loan
from pricing.models import Feed
from proofs.simulation.database import NEWCOMER, PEOPLE
from proofs.simulation.initial_loans import begin_with_active_loans
from proofs.simulation.runner import play
from proofs.simulation.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def sequence_of(table):
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [table])
        return cursor.fetchone()[0]


@pytest.mark.parametrize("sequences", [True, False])
def test_a_backup_takes_the_place_of_all_rows(database, sequences):
    begin_with_active_loans(World(1), 2)
    Feed.objects.create(market="mos_espa", received=7)
    before = list(Loan.objects.order_by("pk").values()), list(Loan.history.order_by("history_id").values())
    database.keep()
    Feed.objects.update(received=8)
    later = sequence_of("loans_loan")
    database.go_back(sequences=sequences)
    assert Feed.objects.get().received == 7
    assert (list(Loan.objects.order_by("pk").values()), list(Loan.history.order_by("history_id").values())) == before
    assert sequence_of("loans_loan") == (later if sequences else later + 1)


def test_the_bank_has_people_who_may_agree_and_one_who_may_not_yet(database):
    joined = dict(User.objects.values_list("username", "date_joined"))
    assert set(joined) == {*PEOPLE, NEWCOMER}
    assert joined[NEWCOMER] > max(joined[name] for name in PEOPLE)


def violations(database, seeds):
    """What is found in those schedules of the seeds in which the books go back."""
    for result in play(seeds, database):
        if result.restored:
            yield from result.violations


@pytest.mark.timeout(600)
def test_a_restore_that_nobody_notices_is_found(database, monkeypatch):
    monkeypatch.setattr(identity, "objection", lambda: "")
    monkeypatch.setattr(identity, "accepted", lambda: True)
    assert next(violations(database, range(1, 200)))


@pytest.mark.timeout(600)
def test_a_release_that_waits_for_no_statement_is_found(database, monkeypatch):
    monkeypatch.setattr(release, "_covering", lambda restore, market: (restore.since, restore.begun_at))
    assert next(violations(database, range(1, 400)))
