"""Who may see Flower."""

import pytest
from django.contrib.auth.models import User

from coruscant.admin.groups import COMMANDS, VIEWERS
from coruscant.admin.tests.bank import make_person
from loans.api.tests.calls import refused

pytestmark = pytest.mark.django_db
PATH = "/may-see-flower"


def test_nobody_may_see_it_who_has_not_logged_in(client):
    refused(client.get(PATH), 401)


@pytest.mark.parametrize("group", COMMANDS)
def test_every_group_may_see_it(client, group):
    client.force_login(make_person("ahsoka", group))
    assert client.get(PATH).status_code == 204


def test_who_is_in_no_group_or_no_member_of_the_staff_may_not(client):
    client.force_login(make_person("rex"))
    refused(client.get(PATH), 403)
    left = make_person("ahsoka", VIEWERS)
    User.objects.filter(pk=left.pk).update(is_staff=False)
    client.force_login(left)
    refused(client.get(PATH), 403)


def test_a_session_without_its_second_factor_is_nobodys(client, settings):
    settings.SECOND_FACTOR_GROUPS = [VIEWERS]
    client.force_login(make_person("ahsoka", VIEWERS))
    refused(client.get(PATH), 401)


def test_the_answer_is_asked_for_each_time_and_changes_nothing(client):
    client.force_login(make_person("ahsoka", VIEWERS))
    assert "no-store" in client.get(PATH)["Cache-Control"]
    refused(client.post(PATH), 405)
