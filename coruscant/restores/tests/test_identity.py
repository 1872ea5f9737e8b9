"""Whether a database is the accepted one: what is noticed, what is remembered, and what is accepted by itself."""

import pytest
from django.db import connection, transaction
from structlog.testing import capture_logs

from coruscant.restores import identity
from coruscant.restores.identity import FIRST_USE, DatabaseReplaced
from coruscant.restores.models import DatabaseIdentity

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch):
    monkeypatch.setattr(identity, "witnesses", [])
    identity.forget()
    yield
    identity.forget()


def accepted_before(**other):
    """Let another database have been accepted: one that differs from the present in these."""
    identity.accept("somebody")
    row = DatabaseIdentity.objects.first()
    for name, by in other.items():
        setattr(row, name, getattr(row, name) + by)
    row.save()
    return row


def test_a_role_without_rights_may_ask_who_the_database_is():
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)
    found = identity.present()
    assert found.system_identifier != 0
    assert found.timeline == 1
    assert found.database > 0


def test_a_database_that_was_never_used_is_accepted_by_whoever_asks_first():
    assert identity.accepted()
    (row,) = DatabaseIdentity.objects.all()
    found = identity.present()
    assert (row.system_identifier, row.timeline, row.database) == (
        found.system_identifier,
        found.timeline,
        found.database,
    )
    assert (row.accepted_by, row.doubt) == (FIRST_USE, "")


@pytest.mark.parametrize("other", ["system_identifier", "timeline", "database"])
def test_a_database_that_differs_in_anything_is_not_accepted_until_a_person_says_so(other):
    accepted_before(**{other: 1})
    with capture_logs() as logged:
        assert not identity.accepted()
        assert not identity.accepted()
    assert [(line["event"], line["log_level"]) for line in logged] == [("database_replaced", "error")] * 2
    with pytest.raises(DatabaseReplaced, match="accepted was"):
        identity.require()
    identity.accept("Leia")
    assert identity.accepted()
    assert DatabaseIdentity.objects.first().accepted_by == "Leia"


def test_a_yes_is_remembered_until_the_connection_ends(django_assert_num_queries):
    assert identity.accepted()
    with django_assert_num_queries(0):
        assert identity.accepted()
    with transaction.atomic(), django_assert_num_queries(0):
        assert identity.accepted()
    row = DatabaseIdentity.objects.get()
    row.database += 1
    row.save()
    connection.close()
    assert not identity.accepted()


def test_within_a_transaction_no_witness_is_asked_and_outside_each_connection_asks_them(monkeypatch):
    asked = []
    monkeypatch.setattr(identity, "witnesses", [lambda: asked.append(connection.in_atomic_block) or ""])
    with transaction.atomic():
        assert identity.accepted()
    assert not asked
    assert identity.accepted()
    assert identity.accepted()
    assert asked == [False]


def test_a_witness_that_knows_of_a_loss_stops_everybody_for_good(monkeypatch):
    assert identity.accepted()
    identity.forget()
    monkeypatch.setattr(identity, "witnesses", [lambda: "send 2 is missing."])
    assert not identity.accepted()
    monkeypatch.setattr(identity, "witnesses", [])
    assert not identity.accepted()
    with pytest.raises(DatabaseReplaced, match=r"behind: send 2 is missing\."):
        identity.require()
    identity.accept("Leia")
    assert identity.accepted()


def test_a_promotion_is_noticed_unless_the_standby_is_synchronous(settings):
    was = accepted_before(timeline=-1)
    settings.DATABASE_FAILOVER = "asynchronous"
    assert not identity.accepted()
    settings.DATABASE_FAILOVER = "synchronous"
    with transaction.atomic():
        assert not identity.accepted(), "the witnesses were not asked"
    with capture_logs() as logged:
        assert identity.accepted()
    assert DatabaseIdentity.objects.first().timeline == was.timeline + 1
    assert [line["event"] for line in logged] == ["database_failover_accepted"]


@pytest.mark.parametrize("other", [{"timeline": 1}, {"timeline": -1, "database": 1}, {"system_identifier": 1}])
def test_what_is_no_promotion_is_noticed_although_the_standby_is_synchronous(other, settings):
    settings.DATABASE_FAILOVER = "synchronous"
    accepted_before(**other)
    assert not identity.accepted()


def test_a_promotion_that_has_lost_something_is_noticed_although_the_standby_is_synchronous(settings, monkeypatch):
    settings.DATABASE_FAILOVER = "synchronous"
    accepted_before(timeline=-1)
    monkeypatch.setattr(identity, "witnesses", [lambda: "a send is missing."])
    assert not identity.accepted()
