"""Who is asked for a second factor, which codes are right, and who resets it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from coruscant import clock
from coruscant.admin.groups import OPERATORS, VIEWERS
from coruscant.admin.tests.bank import make_person
from coruscant.second_factor import factors
from coruscant.second_factor.tests.codes import code_of, enrolled, wrong_code

pytestmark = pytest.mark.django_db


def test_a_group_of_the_setting_must_have_one_and_administrators_as_soon_as_any_group_must(settings):
    operator, viewer = make_person("cody", OPERATORS), make_person("rex", VIEWERS)
    administrator = User.objects.create_superuser("mace")
    assert not any(map(factors.must_have_one, (operator, viewer, administrator)))
    settings.SECOND_FACTOR_GROUPS = [OPERATORS]
    assert [factors.must_have_one(person) for person in (operator, viewer, administrator)] == [True, False, True]


def test_the_code_of_an_authenticator_is_right_once():
    person = make_person("ahsoka")
    key, _codes = enrolled(person)
    assert factors.right_device(person, code_of(key))
    assert factors.right_device(person, code_of(key)) is None


def test_the_code_that_enrolled_it_is_used_up():
    person, key = make_person("ahsoka"), b"12345678901234567890"
    assert factors.enrol(person, key.hex(), code_of(key))
    assert factors.right_device(person, code_of(key)) is None


def test_a_backup_code_is_right_once_and_of_its_owner_only():
    person, other = make_person("ahsoka"), make_person("rex")
    _key, codes = enrolled(person)
    enrolled(other)
    assert len(set(codes)) == factors.BACKUP_CODES
    assert factors.right_device(other, codes[0]) is None
    assert factors.right_device(person, codes[0])
    assert factors.right_device(person, codes[0]) is None
    StaticDevice.objects.update(throttling_failure_timestamp=clock.now() - timedelta(minutes=1))
    assert factors.right_device(person, codes[1])


def test_of_many_guesses_hardly_any_is_looked_at(monkeypatch):
    person = make_person("ahsoka")
    key, _codes = enrolled(person)
    looked_at = []
    verify = factors.TOTP.verify
    monkeypatch.setattr(factors.TOTP, "verify", lambda *args: looked_at.append(args) or verify(*args))
    assert not any(factors.right_device(person, wrong_code(key)) for _guess in range(200))
    assert 1 <= len(looked_at) <= 10
    assert factors.right_device(person, code_of(key)) is None, "it is too soon"


@pytest.mark.django_db(transaction=True)
def test_of_one_code_sent_by_many_at_once_one_is_right():
    person = make_person("ahsoka")
    _key, codes = enrolled(person)

    def show(_number):
        try:
            return factors.right_device(person, codes[0])
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as many:
        assert sum(found is not None for found in many.map(show, range(8))) == 1


def test_another_authenticator_takes_the_place_of_the_first():
    person = make_person("ahsoka")
    _key, codes = enrolled(person)
    enrolled(person, replaces=True)
    assert TOTPDevice.objects.count() == StaticDevice.objects.count() == 1
    assert factors.right_device(person, codes[0]) is None


def test_of_two_enrolments_of_a_first_one_only_one_counts():
    person, key = make_person("ahsoka"), b"12345678901234567890"
    _key, codes = enrolled(person)
    assert factors.enrol(person, key.hex(), code_of(key)) is None
    assert TOTPDevice.objects.count() == 1
    assert factors.right_device(person, codes[0])


def test_a_wrong_code_enrols_nothing():
    person, key = make_person("ahsoka"), b"12345678901234567890"
    for code in (wrong_code(key), "", "abcdef", "²²²²²²"):
        assert factors.enrol(person, key.hex(), code) is None
    assert not TOTPDevice.objects.exists()


def test_who_lost_the_device_has_it_reset_by_somebody_else_whom_the_history_names():
    person, officer = make_person("ahsoka"), make_person("mace")
    enrolled(person)
    with pytest.raises(factors.OwnSecondFactor):
        factors.reset(person, by=person, why="I say so")
    assert factors.has_one(person)
    factors.reset(person, by=officer, why="lost on Lothal")
    assert not factors.has_one(person)
    assert not StaticDevice.objects.exists()
    entry = LogEntry.objects.first()
    assert (entry.user, entry.object_id, entry.get_change_message()) == (
        officer,
        str(person.pk),
        "Second factor reset: lost on Lothal",
    )


def test_an_account_is_reset_in_the_admin_by_whoever_has_the_permission(client):
    person, officer = make_person("ahsoka"), make_person("mace")
    enrolled(person)
    enrolled(officer)
    officer.user_permissions.add(*Permission.objects.filter(codename__in=["view_user", "change_user"]))
    client.force_login(officer)
    sent = {"action": "reset_second_factor", "_selected_action": [person.pk, officer.pk], "index": 0}
    session = client.session
    session["otp_device_id"] = TOTPDevice.objects.get(user=officer).persistent_id
    session.save()
    client.post("/admin/auth/user/", sent)
    assert factors.has_one(person), "the permission is needed"
    officer.user_permissions.add(Permission.objects.get(codename="delete_totpdevice"))
    client.post("/admin/auth/user/", sent)
    assert not factors.has_one(person)
    assert factors.has_one(officer), "nobody resets their own"
