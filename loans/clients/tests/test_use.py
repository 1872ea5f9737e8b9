"""When a credential was last used."""

from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from knox.models import AuthToken

from coruscant import clock
from loans.clients.models import CredentialUse
from loans.management.commands.tests.credentials import credential


@pytest.fixture(autouse=True)
def unpriced(set_best_price):
    pass


@pytest.fixture
def call(client):
    """A call with a new credential; its status."""
    token = credential()
    return lambda browser=client: browser.get("/loans", HTTP_AUTHORIZATION=f"Token {token}").status_code


def writes(queries):
    return [query["sql"] for query in queries if query["sql"].startswith(("UPDATE", "INSERT"))]


@pytest.mark.django_db
def test_it_is_kept_at_most_once_a_minute(call):
    assert not CredentialUse.objects.exists()
    before = clock.now()
    with CaptureQueriesContext(connection) as first:
        assert call() == 200
    used = CredentialUse.objects.get().last_used_at
    assert before <= used <= clock.now()
    with CaptureQueriesContext(connection) as second:
        assert [call() for _again in range(3)] == [200] * 3
    assert CredentialUse.objects.get().last_used_at == used
    assert [len(writes(found)) for found in (first, second)] == [1, 0]
    CredentialUse.objects.update(last_used_at=clock.now() - timedelta(seconds=61))
    assert call() == 200
    assert CredentialUse.objects.get().last_used_at > used


@pytest.mark.django_db
def test_a_bad_credential_leaves_no_trace(call, client):
    assert client.get("/loans", HTTP_AUTHORIZATION="Token nonsense").status_code == 401
    assert not CredentialUse.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_call_does_not_wait_for_whoever_holds_the_row(call):
    assert call() == 200
    long_ago = clock.now() - timedelta(hours=1)
    CredentialUse.objects.update(last_used_at=long_ago)
    statuses = []

    def other():
        statuses.append(call(Client()))
        connection.close()

    with transaction.atomic():
        CredentialUse.objects.select_for_update().get()
        thread = Thread(target=other)
        thread.start()
        thread.join(10)
        assert statuses == [200]
    assert CredentialUse.objects.get().last_used_at == long_ago


@pytest.mark.django_db(transaction=True)
def test_a_call_succeeds_though_the_time_cannot_be_kept(call, caplog):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE loans_credentialuse RENAME TO hidden")
        cursor.execute("CREATE VIEW loans_credentialuse AS SELECT * FROM hidden LIMIT 1000")  # read, not written
    try:
        assert call() == 200
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP VIEW loans_credentialuse")
            cursor.execute("ALTER TABLE hidden RENAME TO loans_credentialuse")
    assert any("credential_use_not_kept" in record.getMessage() for record in caplog.records)


@pytest.mark.django_db
def test_it_goes_with_its_credential(call):
    assert call() == 200
    AuthToken.objects.all().delete()
    assert not CredentialUse.objects.exists()
    assert call() == 401
