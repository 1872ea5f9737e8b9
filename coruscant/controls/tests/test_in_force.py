"""Which controls hold, and for which prices."""

from datetime import timedelta

import pytest

from coruscant.controls import in_force
from coruscant.controls.tests.support import pull_it

pytestmark = pytest.mark.django_db

MOMENT = timedelta(microseconds=1)
AN_HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("kind", "asked"),
    [("pause_claims", in_force.pause_of_claims), ("pause_activations", in_force.activations_pause)],
)
def test_a_price_counts_again_only_if_it_outlasts_the_pause(kind, asked):
    pause = pull_it(kind)
    start, end = pause.began_at, pause.until
    assert asked(start - AN_HOUR, end + AN_HOUR), "a price from before the pause that is evaluated after it"
    assert asked(end, end), "a price that ends with the pause"
    assert not asked(end + MOMENT, end), "one that outlasts it, once it is over"
    assert asked(end + AN_HOUR, end - MOMENT), "while it holds, whatever the price's time: a clock may be set back"


def test_of_several_pauses_a_price_is_withheld_by_the_first_that_it_did_not_outlast():
    first = pull_it(minutes=60)
    assert in_force.pause_of_claims(first.until, first.until) == first
    assert in_force.pause_of_claims(first.until + MOMENT, first.until + MOMENT) is None


def test_controls_of_other_kinds_pause_nothing():
    control = pull_it("set_aside", market="mos_espa")
    pull_it("no_new_orders", market="mos_espa")
    assert in_force.pause_of_claims(control.began_at, control.began_at) is None
    assert not in_force.activations_pause(control.began_at, control.began_at)


def test_a_market_gets_no_new_orders_until_the_end():
    control = pull_it("no_new_orders", market="mos_espa")
    assert in_force.markets_without_new_orders(control.began_at) == {"mos_espa"}
    assert in_force.markets_without_new_orders(control.until - MOMENT) == {"mos_espa"}
    assert in_force.markets_without_new_orders(control.until) == frozenset()
    assert in_force.markets_without_new_orders(control.began_at - MOMENT) == frozenset()


def test_what_holds_now_is_what_has_not_ended():
    control = pull_it()
    assert in_force.now(control.until - MOMENT).get() == control
    assert not in_force.now(control.until).exists()
