"""The address of whoever calls: by X-Forwarded-For only as far as it was written by proxies that are trusted."""

from ipaddress import ip_network

import pytest
from axes.models import AccessAttempt

from coruscant.web.addresses import caller


@pytest.fixture(autouse=True)
def proxies(settings):
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8"), ip_network("192.168.7.7"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "found"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "1.2.3.4", "203.0.113.9"),  # nobody we trust says so
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.9", "203.0.113.9"),  # what the caller wrote itself
        ("10.0.0.1", "1.2.3.4, 203.0.113.9, 192.168.7.7", "203.0.113.9"),
        ("10.0.0.1", "10.1.1.1, 10.2.2.2", "10.1.1.1"),  # a caller inside
        ("fd00::1", "2001:db8::5", "2001:db8::5"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9, \x00, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", ",,,", "10.0.0.1"),
        ("", "203.0.113.9", ""),  # of a UNIX socket
    ],
)
def test_the_caller_is_the_last_address_that_no_trusted_proxy_has(peer, forwarded_for, found):
    assert caller(peer, forwarded_for) == found


def test_without_trusted_proxies_the_header_says_nothing(settings):
    settings.TRUSTED_PROXIES = []
    assert caller("10.0.0.1", "203.0.113.9") == "10.0.0.1"


@pytest.mark.django_db
@pytest.mark.parametrize(("peer", "found"), [("10.0.0.1", "203.0.113.9"), ("198.51.100.1", "198.51.100.1")])
def test_the_log_and_failed_log_ins_name_it(client, caplog, settings, peer, found):
    settings.API_ALLOW_ANONYMOUS = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    forwarded = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": "1.2.3.4, 203.0.113.9"}
    client.get("/loans/unknown", **forwarded)
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    assert {line["ip"] for line in lines if line["event"] in {"request_finished", "request_refused"}} == {found}
    client.post("/admin/login/", {"username": "ahsoka", "password": "wrong"}, **forwarded)
    assert AccessAttempt.objects.get().ip_address == found
