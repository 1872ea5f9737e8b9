"""I11 and I14 of controls notice what they are there to notice."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from coruscant import clock, history
from coruscant.approvals.ask import ask
from coruscant.approvals.decide import agree
from coruscant.approvals.tests.support import log_in, representative
from coruscant.controls import two_people
from coruscant.controls.models import Control
from coruscant.controls.pull import end, extend
from coruscant.controls.tests.support import pull_it
from liquidation import invariants
from liquidation.claim import claim_loans
from liquidation.conftest import point_now
from liquidation.controls import set_aside
from liquidation.models import Liquidation
from loans import sales

pytestmark = pytest.mark.django_db


def broken(name):
    (found,) = [finding for finding in invariants.check() if finding.invariant.name == name]
    return sorted(found.examples)


def test_a_claim_in_a_pause_is_noticed(claimed):
    """Here it is made past the only place that looks for pauses."""
    before = claimed()
    pull_it()
    assert broken("I11") == []
    assert before.claimed_at < clock.now()
    in_it = claimed()
    assert broken("I11") == [f"liquidation {in_it.pk}"]


def test_an_activation_in_a_pause_is_noticed(loan):
    pause = pull_it("pause_activations")
    made = loan()
    with history.cause("test", correlation_id="activation"):
        made.activated_at = pause.began_at
        made.save()
    assert broken("I11") == [f"loan {made.pk}"]


def test_a_claim_by_prices_set_aside_is_noticed(claimed, loan):
    assert claimed().evidence[0]["market"] == "mos_espa"
    pull_it("set_aside", market="black_spire_outpost")
    assert claimed()
    assert broken("I11b") == []
    point = point_now()
    pull_it("set_aside", market="mos_espa")
    (in_it,) = claim_loans([loan().pk], replace(point, at=clock.now()))
    assert broken("I11b") == [f"liquidation {in_it}"]


def test_what_two_people_adopt_in_a_pause_is_no_claim_of_a_price(loan):
    pull_it()
    made, now = loan(), clock.now()
    with history.cause("adopt", correlation_id="difference-1"):
        Liquidation.objects.create(
            loan=made, terms_id=made.terms_id, correlation_id="mos_espa:r-1", price=25, price_at=now, evidence=[],
            claimed_at=now, due_at=now,
            balance_at_claim=made.outstanding_balance, collateral_at_claim=made.collateral,
        )  # fmt: skip
        sales.begin_liquidation([made.pk], now, Decimal(25))
    assert broken("I11") == []


def test_controls_of_two_people_have_an_approval_of_just_this(quote):
    quote("30")
    leia, han = representative("leia"), representative("han")

    def by_two(name, **arguments):
        agree(ask(name, arguments, why="Look.", asked_by=leia).pk, request=log_in(han))

    by_two(two_people.PULL, kind="pause_claims", market="", minutes=90, why="Look.")
    by_two(set_aside.SET_ASIDE, market="mos_espa", minutes=120, why="Look.")
    control = Control.objects.get(kind="pause_claims")
    by_two(two_people.EXTEND, control_id=control.pk, minutes=180)
    by_two(two_people.END, control_id=control.pk)
    pull_it("pause_activations", minutes=60)
    assert broken("I14e") == []
    pull_it("no_new_orders", market="mos_espa", minutes=90, two_people=True)
    assert broken("I14e") == ["no_new_orders not approved"]


def test_a_control_that_one_person_ended_or_extended_is_noticed():
    first, second = pull_it(), pull_it("pause_activations")
    end(first.pk, by="leia", by_id=1, two_people=True)
    extend(second.pk, lasts=timedelta(hours=2), by="leia", by_id=1, two_people=True)
    assert broken("I14e") == [f"control {first.pk}", f"control {second.pk}"]
