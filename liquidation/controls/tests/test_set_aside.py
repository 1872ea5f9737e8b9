"""Setting a market's prices aside: whoever does it is shown what it may claim."""

from datetime import timedelta
from decimal import Decimal

import pytest

from coruscant import history
from coruscant.approvals.arguments import ArgumentsDoNotFit
from coruscant.approvals.ask import ask
from coruscant.approvals.decide import NotExecuted, agree
from coruscant.approvals.tests.support import log_in, representative
from coruscant.controls.models import Control
from coruscant.controls.pull import AlreadyPulled, SecondPersonNeeded
from coruscant.controls.tests.support import pull_it
from liquidation import evaluate
from liquidation.controls import set_aside
from liquidation.controls.set_aside import PriceInDoubt
from liquidation.models import Liquidation
from loans.models import LoanStatus
from pricing import best_price, snapshot
from pricing.markets import Market

pytestmark = pytest.mark.django_db

MOS_ESPA, BLACK_SPIRE = Market.MOS_ESPA, Market.BLACK_SPIRE_OUTPOST


@pytest.fixture
def prices(quote):
    quote("5000", market=MOS_ESPA)
    quote("31", market=BLACK_SPIRE)


@pytest.fixture
def asks():
    leia = representative("leia")

    def ask_for(market=MOS_ESPA, minutes=30, **other):
        arguments = {"market": market, "minutes": minutes, "why": "It lies."} | other
        return ask(set_aside.SET_ASIDE, arguments, why="Look.", asked_by=leia)

    return ask_for


@pytest.fixture
def agrees():
    han = representative("han")
    return lambda approval: agree(approval.pk, request=log_in(han))


def alone(market=MOS_ESPA, minutes=30):
    return set_aside.set_aside(market, lasts=timedelta(minutes=minutes), why="It lies.", by="leia", by_id=1)


def test_one_person_sets_the_lower_market_aside_but_not_the_higher_one(quote):
    quote("32", market=MOS_ESPA)
    quote("31", market=BLACK_SPIRE)
    with pytest.raises(SecondPersonNeeded, match="is 32 GC, and would be 31 GC"):
        alone(MOS_ESPA)
    assert not Control.objects.exists()
    assert alone(BLACK_SPIRE).market == BLACK_SPIRE
    assert Control.objects.get().kind == "set_aside"


def test_the_only_price_takes_two_and_a_market_without_one_does_not(quote):
    quote("31", market=MOS_ESPA)
    with pytest.raises(SecondPersonNeeded, match="would be –"):
        alone(MOS_ESPA)
    alone(BLACK_SPIRE)


@pytest.mark.usefixtures("prices")
def test_one_person_gets_an_hour_for_the_lower_market_too():
    with pytest.raises(SecondPersonNeeded):
        alone(BLACK_SPIRE, minutes=61)


@pytest.mark.usefixtures("prices")
def test_two_people_are_shown_the_price_and_the_first_loans_that_it_claims(loan, asks, agrees):
    worst, second, _sound = loan(collateral="39"), loan(collateral="42"), loan(collateral="60")
    asked = asks()
    assert asked.arguments["price"] == "29.45"  # 5 % below the other market's
    assert asked.arguments["at_most"] == 2
    assert f"it claims 2 loans at most, the worst first: {worst.loan_id}, {second.loan_id}." in asked.effect
    assert "The prices of Mos Espa, Tatooine are set aside for 30 minutes from the agreement on." in asked.effect
    agrees(asked)
    control = Control.objects.get()
    assert (control.kind, control.market, control.two_people) == ("set_aside", MOS_ESPA, True)
    assert control.until - control.began_at == timedelta(minutes=30)


@pytest.mark.usefixtures("prices")
def test_of_many_loans_the_first_twenty_are_named(loan, asks):
    loans = [loan(collateral=str(20 + number)) for number in range(21)]
    effect = asks().effect
    assert "it claims 21 loans at most" in effect
    assert loans[19].loan_id in effect
    assert loans[20].loan_id not in effect
    assert "and others" in effect


@pytest.mark.usefixtures("prices")
def test_nothing_is_done_if_the_price_has_fallen_further_by_then(loan, asks, agrees, quote):
    loan()
    asked = asks()
    quote("29.4", market=BLACK_SPIRE)
    with pytest.raises(NotExecuted, match=r"would be 29\.4 GC"):
        agrees(asked)
    assert not Control.objects.exists()


@pytest.mark.usefixtures("prices")
def test_a_price_that_moves_a_little_changes_nothing_of_what_was_asked(loan, asks, agrees, quote):
    loan()
    asked = asks()
    quote("29.5", market=BLACK_SPIRE)
    quote("4999", market=MOS_ESPA)
    agrees(asked)
    assert Control.objects.get().market == MOS_ESPA


@pytest.mark.usefixtures("prices")
def test_nothing_is_done_if_more_loans_would_be_claimed_by_then(loan, asks, agrees):
    loan()
    asked = asks()
    loan()
    with pytest.raises(NotExecuted, match=r"2 loans would be claimed at 29\.45 GC, and 1 are asked for"):
        agrees(asked)
    assert not Control.objects.exists()


@pytest.mark.usefixtures("prices")
def test_whoever_asks_does_not_choose_what_may_be_claimed(asks):
    with pytest.raises(ArgumentsDoNotFit):
        asks(at_most=5)


@pytest.mark.usefixtures("prices")
def test_a_loan_that_is_topped_up_meanwhile_changes_nothing_of_what_was_asked(loan, asks, agrees):
    """In a crash the worst loans are others every second."""
    worst = loan(collateral="30")
    loan()
    asked = asks()
    assert asked.arguments["first"][0] == worst.loan_id
    with history.cause("test", correlation_id="top-up"):
        worst.collateral = Decimal(60)
        worst.save()
    agrees(asked)
    assert Control.objects.get().market == MOS_ESPA


def test_one_person_changes_no_price_of_activations_either(quote):
    """In a dispute the lower market decides what is lent."""
    quote("50", market=MOS_ESPA)
    quote("31", market=BLACK_SPIRE)
    with pytest.raises(SecondPersonNeeded, match="31 GC for activations, and would be 50 GC"):
        alone(BLACK_SPIRE)


def test_nobody_leaves_a_jump_alone_to_go_by(quote, asks):
    """With the other market set aside, its repetition would be believed."""
    quote("49.9", market=MOS_ESPA)
    quote("50", market=BLACK_SPIRE)
    quote("0.5", market=BLACK_SPIRE)
    with pytest.raises(SecondPersonNeeded, match="in doubt"):
        alone(MOS_ESPA)
    with pytest.raises(PriceInDoubt):
        asks(market=MOS_ESPA)


def test_without_another_price_both_are_told_that_nothing_is_known(quote, asks, agrees):
    quote("31", market=MOS_ESPA)
    asked = asks()
    assert "No other market has a price" in asked.effect
    quote("20", market=BLACK_SPIRE)
    with pytest.raises(NotExecuted, match="would be 20 GC"):
        agrees(asked)


@pytest.mark.usefixtures("prices")
def test_prices_that_are_set_aside_already_are_not_set_aside_again(asks):
    pull_it("set_aside", market=MOS_ESPA)
    with pytest.raises(AlreadyPulled):
        asks()


@pytest.mark.usefixtures("prices")
def test_once_the_higher_market_is_set_aside_loans_are_claimed_by_the_other(loan, asks, agrees):
    endangered, sound = loan(collateral="40"), loan(collateral="60")
    agrees(asks())
    assert evaluate.evaluate_loans()
    claimed = Liquidation.objects.get()
    assert (claimed.loan_id, claimed.price) == (endangered.pk, 31)
    assert {one.get("market") for one in claimed.evidence} == {BLACK_SPIRE, None}
    sound.refresh_from_db()
    assert sound.status == LoanStatus.ACTIVE


def test_a_jump_waits_while_only_a_market_set_aside_bears_it_out(loan, quote):
    """Claims wait for another quote that says so; what was set aside is none, even once it counts again."""
    quote("50", market=MOS_ESPA)
    quote("49", market=BLACK_SPIRE)
    loan(collateral="40")
    alone(BLACK_SPIRE)
    quote("25", market=BLACK_SPIRE)
    quote("26", market=MOS_ESPA)
    assert evaluate.evaluate_loans()
    assert not Liquidation.objects.exists()
    quote("26", market=MOS_ESPA)
    assert evaluate.evaluate_loans()
    assert Liquidation.objects.get().price == 26


@pytest.mark.usefixtures("prices")
def test_orders_are_sized_by_no_price_that_is_set_aside(asks, agrees):
    agrees(asks())
    found, now, _no_row = snapshot.read()
    curves = found.curves(now)
    assert (curves[MOS_ESPA].fresh, curves[BLACK_SPIRE].fresh) == (False, True)


@pytest.mark.usefixtures("prices")
def test_what_is_cached_knows_what_is_set_aside(asks, agrees):
    agrees(asks())
    best_price.refresh()
    assert snapshot.known() == (snapshot.read()[0], None)
    assert best_price.current().price == 31


def test_a_second_market_that_is_set_aside_is_the_last_price(quote):
    """Its prices would be the best ones left, so one person may not."""
    quote("32", market=MOS_ESPA)
    quote("31", market=BLACK_SPIRE)
    alone(BLACK_SPIRE)
    assert [point.price for point in set_aside.prices(MOS_ESPA)] == [32, None]
    with pytest.raises(SecondPersonNeeded):
        alone(MOS_ESPA)
