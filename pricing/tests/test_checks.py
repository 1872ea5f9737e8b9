"""`migrate` and `manage.py check --database default` refuse a guard to which a fall in a loan's life is a jump."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from coruscant import clock
from pricing.models import PriceGuard

pytestmark = pytest.mark.django_db


def check():
    call_command("check", databases=["default"], stdout=StringIO())


def guard(mode, jump):
    PriceGuard.objects.create(
        holds_from=clock.now(), mode=mode, jump=jump, agreement="0.1", dispute="0.25", changed_by="r2"
    )


@pytest.mark.parametrize("mode", ["on", "watch"])
def test_a_jump_within_a_loan_s_life_is_refused_and_the_guard_has_to_change(mode):
    check()
    guard(mode, "0.3")
    with pytest.raises(SystemCheckError) as refused:
        check()
    said = str(refused.value)
    assert "(pricing.E001) The guard takes a fall of more than 0.3000 for a jump" in said
    assert "Ask for a guard with a larger jump" in said
    assert "_LTV" not in said, "settings decide about no loan"


def test_a_guard_that_is_off_may_have_any_jump():
    guard("off", "0.3")
    check()
