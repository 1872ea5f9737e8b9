"""What representatives see of a restore."""

from datetime import timedelta

import pytest
from django.urls import reverse

from coruscant import clock, history
from coruscant.admin.figures import instant
from coruscant.admin.tests.bank import make_representative
from coruscant.restores import holds, identity
from coruscant.restores.models import DatabaseIdentity, Restore

pytestmark = pytest.mark.django_db


@pytest.fixture
def index(client):
    client.force_login(make_representative())
    identity.accept("Leia")

    def page():
        return client.get(reverse("admin:index")).content.decode()

    return page


def make_restore(**columns):
    with history.cause("test", correlation_id="restore"):
        return Restore.objects.create(
            since=clock.now() - timedelta(minutes=5), begun_at=clock.now(), begun_by="Leia", **columns
        )


def test_every_page_says_that_the_database_was_replaced(index):
    assert "replaced" not in index()
    DatabaseIdentity.objects.update(timeline=0)
    assert "since the database was replaced. This is cluster" in index()


def test_every_page_says_what_a_restore_still_holds(index):
    assert "Held since" not in index()
    restore = make_restore()
    page = index()
    assert f"Held since the {restore}: sales and events" in page
    first, last = map(instant, holds.statements_cover(restore))
    assert f"that reach from {first} until {last}" in page
    assert "claims, until they are released" in page
    with history.cause("test", correlation_id="restore"):
        Restore.objects.update(compared_at=clock.now())
    assert f"Held since the {restore}: claims, until" in index()
    with history.cause("test", correlation_id="restore"):
        Restore.objects.update(claims_released_at=clock.now(), claims_released_by="Leia and Han")
    assert "Held since" not in index()


def test_the_pages_of_restores_and_identities_open(index, client):
    for row in (make_restore(reason="a disk"), DatabaseIdentity.objects.get()):
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        assert client.get(reverse(f"{name}_changelist")).status_code == 200
        assert client.get(reverse(f"{name}_change", args=(row.pk,))).status_code == 200
