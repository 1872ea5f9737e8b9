"""Scenarios are saved and deleted by somebody, once, and that is kept."""

from decimal import Decimal

import pytest
from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from desk.models import StressScenario
from desk.stress import scenarios
from desk.stress.scenarios import NameTaken

pytestmark = pytest.mark.django_db


@pytest.fixture
def leia():
    return User.objects.create_user("leia", is_staff=True)


def noted():
    return list(LogEntry.objects.order_by("pk").values_list("user__username", "action_flag", "object_repr"))


def test_a_scenario_is_saved_with_the_name_of_who_saved_it(leia):
    made = scenarios.save("a bad day", price=None, fall=Decimal("0.3"), by=leia)
    scenarios.save("40", price=Decimal(40), fall=None, by=leia)
    assert [(one.name, one.price, one.fall) for one in scenarios.saved()] == [
        ("40", Decimal(40), None), ("a bad day", None, Decimal("0.3")),
    ]  # fmt: skip
    assert StressScenario.objects.get(pk=made.pk).saved_by == "leia"
    assert noted() == [("leia", ADDITION, "a bad day"), ("leia", ADDITION, "40")]


def test_a_name_is_given_once(leia):
    scenarios.save("a bad day", price=None, fall=Decimal("0.3"), by=leia)
    with pytest.raises(NameTaken):
        scenarios.save("a bad day", price=Decimal(40), fall=None, by=leia)
    assert len(noted()) == 1


@pytest.mark.parametrize(("price", "fall"), [(None, None), (1, "0.3"), (0, None), (None, 1), (None, "-0.1")])
def test_the_database_refuses_what_is_neither_a_price_nor_a_fall(leia, price, fall):
    with pytest.raises(IntegrityError), transaction.atomic():
        scenarios.save("x", price=price, fall=fall, by=leia)


def test_who_deleted_a_scenario_is_kept_and_deleting_it_again_does_nothing(leia):
    made = scenarios.save("a bad day", price=None, fall=Decimal("0.3"), by=leia)
    scenarios.delete(made, by=leia)
    assert not scenarios.saved().exists()
    scenarios.delete(made, by=leia)
    assert noted() == [("leia", ADDITION, "a bad day"), ("leia", DELETION, "a bad day")]
