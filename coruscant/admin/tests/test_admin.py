"""The log of what administrators changed: auditors read it, and nobody else."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.urls import reverse

from coruscant.admin.groups import AUDITORS, COMMANDS
from coruscant.admin.tests.bank import make_person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]
LOG = reverse("admin:admin_logentry_changelist")


@pytest.fixture
def entry():
    root, changed = User.objects.create_superuser("root"), User.objects.create_user("leia")
    return LogEntry.objects.log_actions(
        root.pk, [changed], 2, change_message=[{"changed": {"fields": ["Superuser status"]}}], single_object=True
    )


def test_an_auditor_reads_who_changed_what_and_finds_it_in_the_side_bar(client, entry):
    client.force_login(make_person("ahsoka", AUDITORS))
    text = client.get(LOG).content.decode()
    for said in ("root", "leia", "Changed Superuser status."):
        assert said in text, said
    assert LOG in client.get(reverse("admin:index")).content.decode()
    row = reverse("admin:admin_logentry_change", args=(entry.pk,))
    assert "Superuser status" in client.get(row).content.decode()
    assert client.post(row, {"object_repr": "nobody"}).status_code == 403
    assert client.post(reverse("admin:admin_logentry_delete", args=(entry.pk,)), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("group", sorted(set(COMMANDS) - {AUDITORS}))
def test_nobody_else_does(client, group):
    client.force_login(make_person("ahsoka", group))
    assert client.get(LOG).status_code == 403
    assert LOG not in client.get(reverse("admin:index")).content.decode()
