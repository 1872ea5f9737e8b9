"""The log of what administrators changed, which auditors read and nobody else; and the pages of groups."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
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


@pytest.fixture
def root(client):
    """Who may do everything with groups, and is not asked for a second factor."""
    person = make_person("root")
    person.user_permissions.set(Permission.objects.filter(content_type__app_label="auth", codename__endswith="_group"))
    client.force_login(person)
    return client


@pytest.fixture(params=["Operators", "Security", "API clients"])
def named(request, settings):
    """A group that code names, one that settings name, and one that an app names."""
    settings.SECOND_FACTOR_GROUPS = ["Security"]
    group, _made = Group.objects.get_or_create(name=request.param)
    group.user_set.add(make_person("ahsoka"))
    return group


def says(response, beginning):
    return any(str(message).startswith(beginning) for message in response.context["messages"])


def test_a_group_that_code_or_settings_name_is_not_renamed(root, named):
    page = reverse("admin:auth_group_change", args=(named.pk,))
    (reason,) = root.post(page, {"name": "Others"}).context["adminform"].form.errors["name"]
    assert reason.startswith(f"{named} is not renamed: the service knows it by this name.")
    assert Group.objects.get(pk=named.pk).name == str(named)
    assert root.post(page, {"name": str(named)}).status_code == 302


@pytest.mark.parametrize("post", [{}, {"post": "yes"}])
def test_nor_is_it_deleted_alone_or_among_others(root, named, post):
    other = Group.objects.create(name="Others")
    alone = root.post(reverse("admin:auth_group_delete", args=(named.pk,)), post, follow=True)
    assert says(alone, f"{named} is not deleted: ")
    sent = {"action": "delete_selected", "_selected_action": [named.pk, other.pk]}
    among = root.post(reverse("admin:auth_group_changelist"), sent | post, follow=True)
    assert says(among, f"{named} is not deleted: ")
    assert set(Group.objects.filter(pk__in=[named.pk, other.pk])) == {named, other}


def test_a_group_that_nobody_names_is_renamed_and_deleted(root):
    group, another = (Group.objects.create(name=name) for name in ("Others", "More"))
    page = reverse("admin:auth_group_change", args=(group.pk,))
    assert root.post(page, {"name": "Rest"}).status_code == 302
    assert Group.objects.get(pk=group.pk).name == "Rest"
    root.post(reverse("admin:auth_group_delete", args=(group.pk,)), {"post": "yes"})
    sent = {"action": "delete_selected", "_selected_action": [another.pk], "post": "yes"}
    root.post(reverse("admin:auth_group_changelist"), sent)
    assert not Group.objects.filter(pk__in=[group.pk, another.pk]).exists()
