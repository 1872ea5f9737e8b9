"""Log-ins, sessions and TLS as deployed."""

import subprocess
import sys
from datetime import timedelta

import pytest
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


def test_of_many_tries_to_log_in_five_are_looked_at(representative, log_in, settings, caplog):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    tries = [log_in("ahsoka", f"guess {number}", f"10.0.{number}.1") for number in range(200)]
    assert [tries.index(429), tries.count(200), tries.count(429)] == [4, 4, 196]
    assert log_in("ahsoka", RIGHT) == 429
    assert any("ahsoka" in record.getMessage() for record in caplog.records if record.name.startswith("axes"))
    assert User.objects.create_user("rex", password=RIGHT, is_staff=True)
    assert log_in("rex", RIGHT) == 302


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
