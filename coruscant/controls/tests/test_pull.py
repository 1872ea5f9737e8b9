"""Who may pull what, for how long, and who may end it."""

from datetime import timedelta

import pytest
from django.db import IntegrityError

from coruscant import clock, history
from coruscant.approvals.ask import ReasonMissing
from coruscant.controls.models import Control
from coruscant.controls.pull import (
    AlreadyPulled,
    BadDuration,
    ControlOver,
    SecondPersonNeeded,
    UnknownControl,
    end,
    extend,
)
from coruscant.controls.tests.support import pull_it

pytestmark = pytest.mark.django_db

A_MINUTE, AN_HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def time_passes():
    """Move the database's clock: `time_passes(minutes=30)`. Stands still in between."""
    moment = [clock.now()]

    def advance(**delta):
        moment[0] += timedelta(**delta)
        return moment[0]

    with clock.driven_by(lambda: moment[0]):
        yield advance


def end_it(control):
    return end(control.pk, by="leia and han", by_id=2, two_people=True)


def extend_it(control, minutes=90):
    return extend(control.pk, lasts=timedelta(minutes=minutes), by="leia and han", by_id=2, two_people=True)


def test_a_control_says_who_why_from_when_and_until_when_and_so_does_its_history(time_passes):
    now = time_passes()
    control = pull_it("no_new_orders", market="mos_espa", minutes=60, why="  It pays nothing. ")
    assert (control.began_at, control.until, control.why) == (now, now + AN_HOUR, "It pays nothing.")
    assert (control.pulled_by, control.pulled_by_id, control.two_people, control.ended_by) == ("leia", 1, False, "")
    entry = control.history.get()
    assert (entry.history_actor, entry.history_change_reason) == ("leia", "pull no_new_orders mos_espa")
    assert str(control) == f"No new orders to a market (mos_espa), No. {control.pk}"


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"kind": "pause_everything"}, UnknownControl),
        ({"kind": "pause_claims", "market": "mos_espa"}, UnknownControl),
        ({"kind": "no_new_orders"}, UnknownControl),
        ({"kind": "set_aside", "market": "mos_eisley"}, UnknownControl),
        ({"minutes": 0}, BadDuration),
        ({"minutes": -5}, BadDuration),
        ({"minutes": 7 * 24 * 60 + 1, "two_people": True}, BadDuration),
        ({"why": "  "}, ReasonMissing),
        ({"minutes": 61}, SecondPersonNeeded),
    ],
)
def test_what_makes_no_sense_or_takes_two_is_not_pulled(how, error):
    with pytest.raises(error):
        pull_it(**how)
    assert not Control.objects.exists()


def test_two_people_may_pull_for_longer_than_an_hour():
    control = pull_it(minutes=7 * 24 * 60, two_people=True)
    assert control.until - control.began_at == timedelta(days=7)
    assert control.two_people


def test_two_controls_of_a_kind_do_not_overlap_but_those_of_two_markets_do(time_passes):
    first = pull_it()
    with pytest.raises(AlreadyPulled, match=r"holds until .* extend it"):
        pull_it(by_id=2)
    pull_it("pause_activations")
    pull_it("set_aside", market="mos_espa")
    pull_it("set_aside", market="black_spire_outpost")
    time_passes(minutes=5)
    second = pull_it(by_id=2, two_people=True)  # the first ends at this instant
    assert first.until == second.began_at


def test_one_person_alone_cannot_go_on_for_ever(time_passes):
    pull_it(minutes=60)
    time_passes(minutes=61)
    with pytest.raises(SecondPersonNeeded, match="pulled lately"):
        pull_it()
    pull_it("pause_activations")
    time_passes(minutes=58, seconds=59)
    with pytest.raises(SecondPersonNeeded):
        pull_it()
    time_passes(seconds=1)
    assert pull_it().began_at == clock.now()


def test_people_do_not_take_turns_alone(time_passes):
    pull_it(minutes=60)
    time_passes(minutes=60)
    with pytest.raises(SecondPersonNeeded):
        pull_it(by="han", by_id=2)
    with pytest.raises(SecondPersonNeeded):
        pull_it(by="han", by_id=2, on_command_line=True)
    pull_it(by="han", by_id=2, two_people=True)


def test_two_people_may_go_on_at_once_and_whoever_asked_has_had_their_turn(time_passes):
    pull_it(minutes=60)
    time_passes(minutes=60)
    pull_it(minutes=30, two_people=True)
    time_passes(minutes=60)
    with pytest.raises(SecondPersonNeeded):
        pull_it()


def test_one_person_neither_ends_nor_extends_a_control_not_even_their_own():
    control = pull_it()
    with pytest.raises(SecondPersonNeeded):
        end(control.pk, by="leia", by_id=1)
    with pytest.raises(SecondPersonNeeded):
        extend(control.pk, lasts=AN_HOUR, by="leia", by_id=1)
    assert Control.objects.get().until == control.until


def test_two_people_end_a_control_at_once(time_passes):
    control = pull_it()
    now = time_passes(minutes=2)
    end_it(control)
    control.refresh_from_db()
    assert (control.until, control.ended_by) == (now, "leia and han")
    assert [entry.until for entry in control.history.order_by("history_id")] == [now + 3 * A_MINUTE, now]
    assert control.history.latest().history_change_reason == f"end control-{control.pk}"


def test_a_control_can_be_ended_although_the_clock_was_set_back_since(time_passes):
    control = pull_it()
    time_passes(minutes=-2)
    end_it(control)
    control.refresh_from_db()
    assert control.until == control.began_at


def test_two_people_extend_a_control_that_holds(time_passes):
    control = pull_it()
    now = time_passes(minutes=2)
    extend_it(control)
    control.refresh_from_db()
    assert (control.until, control.two_people) == (now + timedelta(minutes=90), True)
    with pytest.raises(BadDuration, match="as it is"):
        extend_it(control)


def test_what_is_over_is_neither_ended_nor_extended(time_passes):
    control = pull_it()
    time_passes(minutes=5)
    for act in (end_it, extend_it):
        with pytest.raises(ControlOver, match="It ended at"):
            act(control)
    with pytest.raises(ControlOver, match="There is no control"):
        end(control.pk + 1, by="leia and han", by_id=2, two_people=True)


def test_the_database_refuses_more_than_an_hour_for_one_person():
    control = pull_it()
    with pytest.raises(IntegrityError, match="one_person_has_an_hour"), history.cause("test", correlation_id="hour"):
        Control.objects.filter(pk=control.pk).update(until=control.began_at + AN_HOUR + A_MINUTE)
