"""At night an operator pulls what one person may pull, and nothing else."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from coruscant.admin.tests.bank import make_representative
from coruscant.controls.models import Control

pytestmark = pytest.mark.django_db


def run(kind="pause_claims", **options):
    printed = StringIO()
    call_command("pull_control", kind, **{"user": "chopper", "why": "Look.", "minutes": 60} | options, stdout=printed)
    return printed.getvalue()


def test_an_operator_pauses_claims_and_the_row_says_that_no_log_in_proves_who_it_was():
    person = make_representative("chopper")
    assert "Pause claims, No." in run()
    control = Control.objects.get()
    assert (control.pulled_by, control.pulled_by_id, control.on_command_line) == ("chopper", person.pk, True)
    assert control.history.get().history_actor == "chopper"


def test_a_market_is_named_where_there_must_be_one():
    make_representative("chopper")
    run("no_new_orders", market="mos_espa")
    assert Control.objects.get().market == "mos_espa"
    with pytest.raises(CommandError, match="Name no market"):
        run("pause_activations", market="mos_espa")


def test_a_command_gets_no_more_than_an_hour_and_sets_no_prices_aside():
    make_representative("chopper")
    with pytest.raises(CommandError, match="an hour at most"):
        run(minutes=61)
    with pytest.raises(CommandError, match="invalid choice"):
        run("set_aside", market="mos_espa")
    assert not Control.objects.exists()


def test_an_account_that_may_not_pull_is_refused():
    User.objects.create_user("clerk", is_staff=True)
    gone = make_representative("chopper")
    gone.is_active = False
    gone.save()
    for user in ("nobody", "clerk", "chopper"):
        with pytest.raises(CommandError, match="no active account"):
            run(user=user)
    assert not Control.objects.exists()
