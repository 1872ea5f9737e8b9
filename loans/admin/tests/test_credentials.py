"""What a representative does with the credentials of API clients: sees them, and revokes them."""

import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import Permission, User
from knox.models import AuthToken

from coruscant.admin.tests.bank import make_representative

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]

PAGE = "/admin/knox/authtoken/"


@pytest.fixture
def person():
    return make_representative("ahsoka")


@pytest.fixture
def browser(client, person):
    client.force_login(person)
    return client


def messages_of(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def credential():
    made, _ = AuthToken.objects.create(user=User.objects.create_user("otc"))
    return made


def test_a_credential_is_revoked_and_the_log_says_by_whom(browser, person, credential):
    response = browser.post(PAGE, {"action": "revoke", "_selected_action": [credential.pk], "index": 0}, follow=True)
    assert messages_of(response)[-1] == "1 revoked."
    assert not AuthToken.objects.exists()
    assert LogEntry.objects.get().action_flag == DELETION
    assert LogEntry.objects.get().user == person


def test_the_stored_digest_is_not_shown(browser, credential):
    text = browser.get(PAGE).content.decode()
    assert f">{credential.digest}<" not in text
    assert credential.token_key in text


def test_no_credential_is_made_or_changed_here(browser, credential):
    assert browser.post(f"{PAGE}add/", {"user": credential.user_id}).status_code == 403
    assert browser.post(f"{PAGE}{credential.pk}/change/", {"user": 1}).status_code == 403
    assert AuthToken.objects.count() == 1


def test_it_needs_its_permission(client, credential):
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_authtoken"))
    client.force_login(viewer)
    answer = client.post(PAGE, {"action": "revoke", "_selected_action": [credential.pk], "index": 0})
    assert answer.status_code == 403
    assert AuthToken.objects.count() == 1
