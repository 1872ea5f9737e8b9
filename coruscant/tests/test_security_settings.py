"""Log-ins, sessions and TLS as deployed."""

import subprocess
import sys
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User

from coruscant import clock
from coruscant.tests.test_settings import GOOD, SETTINGS

RIGHT = "correct horse battery staple"


@pytest.fixture
def representative(db):
    return User.objects.create_user("ahsoka", password=RIGHT, is_staff=True)


@pytest.fixture
def log_in(client):
    """The status of a try to log in: 302 lets in."""
    return lambda name, password, address="10.0.0.1": (
        client.post("/admin/login/", {"username": name, "password": password}, REMOTE_ADDR=address).status_code
    )


class CountingHasher(MD5PasswordHasher):
    """Quick, and counts how often it hashes. Django hashes once for a name that nobody has, too."""

    asked = 0

    def encode(self, password, salt):
        """Count, and hash."""
        CountingHasher.asked += 1
        return super().encode(password, salt)


@pytest.fixture
def hashes(settings):
    """How many passwords were hashed since this was last asked."""
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]

    def so_far():
        asked, CountingHasher.asked = CountingHasher.asked, 0
        return asked

    so_far()
    return so_far


def test_of_a_thousand_tries_on_a_name_five_are_looked_at_from_wherever_they_come(
    hashes, representative, log_in, caplog
):
    hashes()
    tries = [log_in("ahsoka", f"guess {number}", f"10.0.{number % 250}.1") for number in range(1000)]
    assert [tries.index(429), tries.count(200), tries.count(429)] == [4, 4, 996]
    assert {log_in(name, RIGHT) for name in ("ahsoka", " ahsoka ")} == {429}
    assert hashes() == 5
    assert any("ahsoka" in record.getMessage() for record in caplog.records if record.name.startswith("axes"))


def test_of_a_thousand_tries_on_ten_names_five_each_are_looked_at_and_the_eleventh_may_log_in(
    hashes, representative, log_in
):
    names = ["ahsoka", *(f"nobody-{number}" for number in range(1, 10))]
    hashes()
    tries = [log_in(names[number % 10], f"guess {number}", f"10.0.{number // 10 % 8}.1") for number in range(1000)]
    assert [tries.index(429), tries.count(200), tries.count(429)] == [40, 40, 960]
    assert {log_in(name, RIGHT) for name in names} == {429}, "whether there is such a person or not"
    assert hashes() == 50
    assert User.objects.create_user("rex", password=RIGHT, is_staff=True)
    assert log_in("rex", RIGHT) == 302


def test_a_try_on_a_locked_name_costs_one_statement_and_no_page(representative, log_in, django_assert_num_queries):
    for _try in range(5):
        log_in("ahsoka", "wrong")
    with django_assert_num_queries(1):
        assert log_in("ahsoka", "wrong") == 429


def test_who_is_locked_out_may_try_again_after_a_quarter_of_an_hour(representative, log_in):
    from axes.models import AccessAttempt

    for _try in range(6):
        log_in("ahsoka", "wrong")
    assert log_in("ahsoka", RIGHT) == 429
    AccessAttempt.objects.update(attempt_time=clock.now() - timedelta(minutes=16))
    assert log_in("ahsoka", RIGHT) == 302


def test_a_session_ends_eight_hours_after_log_in(representative, client):
    client.post("/admin/login/", {"username": "ahsoka", "password": RIGHT})
    left = client.session.get_expiry_age()
    assert 8 * 3600 - 60 < left <= 8 * 3600
    assert client.get("/admin/", secure=True).status_code == 200
    assert client.session.get_expire_at_browser_close()


def test_with_production_settings_djangos_own_check_has_nothing_to_say():
    checked = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env=GOOD,
        cwd=SETTINGS.parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout) == (0, "System check identified no issues (3 silenced).\n"), (
        checked.stderr
    )


def test_behind_tls_browsers_are_told_to_stay_with_it(client, settings):
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 31_536_000, True
    assert client.get("/docs", secure=True)["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert "Strict-Transport-Security" not in client.get("/docs")
