"""A lost device is reset on the command line where nobody can log in any more."""

from io import StringIO

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command

from coruscant.admin.tests.bank import make_person
from coruscant.second_factor import factors
from coruscant.second_factor.tests.codes import enrolled

pytestmark = pytest.mark.django_db


def run(name, by):
    call_command("reset_second_factor", name, "--by", by, "--why", "lost", stderr=StringIO())


def test_it_is_reset_in_the_name_of_another_account():
    person, officer = make_person("ahsoka"), make_person("mace")
    enrolled(person)
    for name, by in (("ahsoka", "ahsoka"), ("ahsoka", "nobody"), ("nobody", "mace")):
        with pytest.raises(CommandError):
            run(name, by)
    assert factors.has_one(person)
    run("ahsoka", "mace")
    assert not factors.has_one(person)
    assert (LogEntry.objects.first().user, LogEntry.objects.first().get_change_message()) == (
        officer,
        "Second factor reset: lost",
    )
