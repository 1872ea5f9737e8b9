"""`migrate` and `manage.py check --database default` refuse settings that are not those of the newest terms."""

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError

from loans import checks, terms
from loans.tests.factories import LoanFactory, make_terms

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


def test_a_notice_must_come_before_the_margin_call_and_may_not_end_at_once_under_any_terms_in_use(settings):
    make_terms(clear="0.60")
    LoanFactory(active=True)
    settings.ACTIVATION_LTV, settings.LIQUIDATION_LTV = Decimal("0.46"), Decimal("0.75")
    settings.WARNING_LTV, settings.WARNING_CLEAR_LTV = Decimal("0.65"), Decimal("0.60")
    check()
    for notice_ltv, versions in (("0.60", []), ("0.64", []), ("0.65", [2]), ("0.59", [1, 2]), ("0.70", [1, 2])):
        settings.MARGIN_NOTICE_LTV = Decimal(notice_ltv)
        found = [error.msg for error in checks.notices_fit(databases=["default"])]
        assert [f"of terms {version}:" in error for version, error in zip(versions, found, strict=True)] == [
            True for _version in versions
        ]
    with pytest.raises(SystemCheckError, match="is not from the clearing LTV"):
        check()


def test_a_version_that_no_loan_is_under_speaks_against_no_notice(settings):
    make_terms(call="0.72", clear="0.68")
    make_terms(3)
    settings.MARGIN_NOTICE_LTV = Decimal("0.64")
    assert checks.notices_fit(databases=["default"]) == []
