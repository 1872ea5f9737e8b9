"""Two people pull, extend and end controls: both see the same, and it is done if it is still so."""

from datetime import timedelta

import pytest

from coruscant import clock
from coruscant.approvals.arguments import ArgumentsDoNotFit
from coruscant.approvals.ask import ask
from coruscant.approvals.decide import NotExecuted, agree
from coruscant.approvals.tests.support import log_in, representative
from coruscant.controls.models import Control
from coruscant.controls.pull import AlreadyPulled, ControlOver
from coruscant.controls.tests.support import pull_it
from coruscant.controls.two_people import END, EXTEND, PULL

pytestmark = pytest.mark.django_db


@pytest.fixture
def leia():
    return representative("leia")


@pytest.fixture
def asks(leia):
    return lambda name, **arguments: ask(name, arguments, why="Look.", asked_by=leia)


@pytest.fixture
def agrees():
    han = representative("han")
    return lambda approval: agree(approval.pk, request=log_in(han))


def test_two_people_pull_for_longer_than_an_hour_from_the_agreement_on(asks, agrees, leia):
    asked = asks(PULL, kind="pause_claims", market="", minutes=90, why="The markets are mad.")
    assert "Pause claims, for 90 minutes from the agreement on." in asked.effect
    assert "because: The markets are mad." in asked.effect
    assert not Control.objects.exists()
    before = clock.now()
    agrees(asked)
    control = Control.objects.get()
    assert control.began_at >= before
    assert control.until - control.began_at == timedelta(minutes=90)
    assert (control.pulled_by, control.pulled_by_id, control.two_people) == ("leia and han", leia.pk, True)


def test_a_control_that_holds_by_then_is_not_pulled_twice(asks, agrees):
    asked = asks(PULL, kind="no_new_orders", market="mos_espa", minutes=90, why="It pays nothing.")
    pull_it("no_new_orders", market="mos_espa")
    with pytest.raises(NotExecuted, match="extend it"):
        agrees(asked)
    with pytest.raises(AlreadyPulled):
        asks(PULL, kind="no_new_orders", market="mos_espa", minutes=91, why="It pays nothing.")
    assert Control.objects.get().pulled_by == "leia"


def test_prices_are_not_set_aside_without_the_list_of_loans(asks):
    with pytest.raises(ArgumentsDoNotFit, match="action of its own"):
        asks(PULL, kind="set_aside", market="mos_espa", minutes=5, why="It lies.")


def test_two_people_extend_a_control(asks, agrees):
    control = pull_it()
    asked = asks(EXTEND, control_id=control.pk, minutes=120)
    assert "It ends 120 minutes after the agreement" in asked.effect
    agrees(asked)
    control.refresh_from_db()
    assert control.two_people
    assert control.until - control.began_at > timedelta(minutes=120)


def test_two_people_end_a_control(asks, agrees):
    control = pull_it()
    asked = asks(END, control_id=control.pk)
    assert "Prices claim loans again, the present one at once." in asked.effect
    agrees(asked)
    control.refresh_from_db()
    assert control.ended_by == "leia and han"
    assert control.until <= clock.now()


def test_a_control_that_was_extended_meanwhile_is_not_ended(asks, agrees):
    control = pull_it()
    asked = asks(END, control_id=control.pk)
    agrees(asks(EXTEND, control_id=control.pk, minutes=120))
    with pytest.raises(NotExecuted, match="something else"):
        agrees(asked)
    control.refresh_from_db()
    assert control.until > clock.now()


def test_what_is_over_cannot_be_asked_for(asks):
    control = pull_it()
    with clock.driven_by(lambda: control.until):
        for name, more in ((END, {}), (EXTEND, {"minutes": 5})):
            with pytest.raises(ControlOver):
                asks(name, control_id=control.pk, **more)
