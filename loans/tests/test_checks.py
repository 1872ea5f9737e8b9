"""`migrate` and `manage.py check --database default` refuse settings that are not those of the newest terms."""

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError

from loans import terms
from loans.tests.factories import make_terms

pytestmark = pytest.mark.django_db


def check():
    call_command("check", databases=["default"], stdout=StringIO())


def test_settings_of_the_newest_terms_are_fine(settings):
    check()
    make_terms()
    with pytest.raises(SystemCheckError, match="The settings differ from the newest terms"):
        check()
    settings.ACTIVATION_LTV, settings.LIQUIDATION_LTV = Decimal("0.46"), Decimal("0.750")
    settings.WARNING_LTV, settings.WARNING_CLEAR_LTV = Decimal("0.65"), Decimal("0.55")
    check()


def test_migrate_refuses_other_settings_and_says_what_is_wrong(settings):
    settings.LIQUIDATION_LTV, settings.ACTIVATION_LTV = Decimal("0.85"), Decimal("0.55")
    with pytest.raises(CommandError) as refused:
        call_command("migrate", verbosity=0, skip_checks=False)
    assert (
        "The settings differ from the newest terms, which decide: ACTIVATION_LTV=0.55, not 0.5; LIQUIDATION_LTV=0.85,"
        " not 0.8." in str(refused.value)
    )


def test_terms_that_no_longer_fit_something_else_are_named(monkeypatch):
    monkeypatch.setattr(terms, "conditions", [lambda ltvs: "It does not fit the guard."])
    with pytest.raises(SystemCheckError, match="It does not fit the guard"):
        check()
