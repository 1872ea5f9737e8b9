"""Log-ins by names that nobody can have."""

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["le\0ia", "\0", "x" * 3000, "", None])
def test_a_name_that_cannot_be_kept_is_refused_as_any_other(client, name):
    sent = {"password": "guessed"} | ({} if name is None else {"username": name})
    for _ in range(7):  # more than anybody has
        answer = client.post(reverse("admin:login"), sent)
        assert answer.status_code in (200, 429)
        assert "sessionid" not in client.cookies
