"""What representatives see of a restore."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from coruscant import clock, history
from coruscant.admin.figures import instant
from coruscant.admin.tests.bank import make_representative
from coruscant.approvals.decide import agree
from coruscant.approvals.models import Approval
from coruscant.approvals.tests.support import log_in, representative
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


def test_claims_are_released_when_somebody_else_agrees(index, client):
    restore = make_restore()
    page = reverse("admin:restores_restore_change", args=(restore.pk,))
    button = reverse("admin:restores_restore_release_claims", args=(restore.pk,))
    assert button in client.get(page).content.decode()
    assert "has repeated its requests" in client.get(button).content.decode()
    assert client.post(button, {"why": "They have."}).status_code == 302
    approval = Approval.objects.get()
    assert (approval.action, approval.arguments) == ("liquidation.release_claims", {"restore_id": restore.pk})
    restore.refresh_from_db()
    assert restore.claims_released_at is None, "asked for"
    agree(approval.pk, request=log_in(representative("han")))
    restore.refresh_from_db()
    assert restore.claims_released_by == "ahsoka and han"
    assert button not in client.get(page).content.decode()
    answer = client.post(button, {"why": "Again."})
    assert "No claims are held" in str([str(message) for message in answer.context["messages"]])


def test_a_database_that_has_lost_nothing_is_accepted_when_somebody_else_agrees(index, client):
    listed = reverse("admin:restores_databaseidentity_changelist")
    button = reverse("admin:restores_databaseidentity_nothing_was_lost")
    assert button not in client.get(listed).content.decode()
    DatabaseIdentity.objects.update(timeline=0)
    assert "Nothing was lost, among the database identities" in index()
    assert button in client.get(listed).content.decode()
    assert "units are sold twice" in client.get(button).content.decode()
    assert client.post(button, {"why": "A planned move."}).status_code == 302
    assert identity.objection(), "asked for"
    agree(Approval.objects.get().pk, request=log_in(representative("han")))
    assert not identity.objection()
    assert identity.last_accepted().accepted_by == "ahsoka and han"
    assert button not in client.get(listed).content.decode()


@pytest.mark.parametrize("name", ["restore_release_claims", "databaseidentity_nothing_was_lost"])
def test_both_need_the_permission_of_their_action(name, client):
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(*Permission.objects.filter(codename__startswith="view_"))
    client.force_login(viewer)
    identity.accept("Leia")
    restore = make_restore()
    DatabaseIdentity.objects.update(timeline=0)
    arguments = (restore.pk,) if name.startswith("restore") else ()
    button = reverse(f"admin:restores_{name}", args=arguments)
    for page in (
        reverse("admin:restores_restore_change", args=(restore.pk,)),
        reverse("admin:restores_databaseidentity_changelist"),
    ):
        answer = client.get(page)
        assert answer.status_code == 200
        assert button not in answer.content.decode()
    assert client.post(button, {"why": "so"}).status_code == 403
    assert not Approval.objects.exists()


def test_the_pages_of_restores_and_identities_open(index, client):
    for row in (make_restore(reason="a disk"), DatabaseIdentity.objects.get()):
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        assert client.get(reverse(f"{name}_changelist")).status_code == 200
        assert client.get(reverse(f"{name}_change", args=(row.pk,))).status_code == 200
