"""The backup of a schedule's books, and the people who bring them through a restore."""

import pytest
from django.contrib.auth.models import User

from loans.models import Loan
from pricing.models import Feed
from proofs.simulation.database import NEWCOMER, PEOPLE
from proofs.simulation.initial_loans import begin_with_active_loans
from proofs.simulation.world import World

pytestmark = pytest.mark.django_db(transaction=True)


def next_id(database):
    """As superuser: the service is given no number of a column's sequence but by inserting a row."""
    return database.monitor.execute("SELECT nextval(pg_get_serial_sequence('loans_loan', 'id'))").fetchone()[0]


@pytest.mark.parametrize("sequences", [True, False])
def test_a_backup_takes_the_place_of_all_rows(database, sequences):
    begin_with_active_loans(World(1), 2)
    Feed.objects.create(market="mos_espa", received=7, skipped=7)
    before = list(Loan.objects.order_by("pk").values()), list(Loan.history.order_by("history_id").values())
    database.keep()
    Feed.objects.update(received=8, skipped=8)
    later = next_id(database)
    database.go_back(sequences=sequences)
    assert Feed.objects.get().received == 7
    assert (list(Loan.objects.order_by("pk").values()), list(Loan.history.order_by("history_id").values())) == before
    assert next_id(database) == (later if sequences else later + 1)


def test_the_bank_has_people_who_may_agree_and_one_who_may_not_yet(database):
    joined = dict(User.objects.values_list("username", "date_joined"))
    assert set(joined) == {*PEOPLE, NEWCOMER}
    assert joined[NEWCOMER] > max(joined[name] for name in PEOPLE)
