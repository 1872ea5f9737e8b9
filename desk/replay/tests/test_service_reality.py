"""A replay under the same terms gives what really happened: the same loans at the same instants, and no others."""

import random
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest

from coruscant import clock, failpoints
from coruscant.controls import pull
from coruscant.controls.models import Control, ControlKind
from desk.replay import history, service
from desk.replay.engine import fate
from desk.replay.prices import RecordedPrices
from liquidation import evaluate
from liquidation.models import Liquidation
from loans.models import Loan, LoanStatus, MarginCall
from loans.postings import post_collateral
from loans.tests.factories import LoanFactory
from pricing.markets import Market
from pricing.models import Feed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("enqueued")]

PRICES = ("50", "44", "42", "40", "38", "36", "35", "33", "31.5", "30", "29", "28", "18", "70")


class Died(Exception):
    """A process that ends where it stands."""


class Bank:
    """Does something of everything that moves prices or loans, as a seed has it, by the services themselves."""

    def __init__(self, seed, quote, loan):
        self.chance = random.Random(seed)
        self.quote = quote
        self.loans = [loan(collateral=str(units)) for units in range(30, 62)]
        self.requests = 0
        self.evaluated = [clock.now()]

    def run(self, steps):
        self.quote("50")
        self.quote("50", market=Market.BLACK_SPIRE_OUTPOST)
        self.evaluate()
        acts = (
            [self.price] * 8
            + [self.late_price] * 2
            + [self.evaluate] * 5
            + [self.evaluate_and_die] * 2
            + [self.post] * 3
        )
        for _ in range(steps):
            self.chance.choice([*acts, self.apply, self.pause, self.set_aside, self.end_control])()
        self.evaluate()

    def price(self):
        self.quote(self.chance.choice(PRICES), market=self.chance.choice(list(Market)))

    def late_price(self):
        """One that another market's, or the last evaluation, has overtaken."""
        seconds = (clock.now() - self.evaluated[-2]).total_seconds()
        late = self.chance.uniform(0, seconds)
        self.quote(self.chance.choice(PRICES), market=self.chance.choice(list(Market)), ago=late)

    def evaluate(self):
        self.evaluated.append(clock.now())
        Feed.objects.update(drained_to=clock.now())
        assert evaluate.evaluate_loans()

    def evaluate_and_die(self):
        """After its first batch: the next evaluation, at once as in reality, begins with the same quotes."""

        def die(name):
            if name == "evaluate.batch_committed":
                raise Died

        failpoints.arm(die)
        with suppress(Died):
            self.evaluate()
        failpoints.arm(None)
        self.evaluate()

    def post(self):
        open_ones = Loan.objects.filter(status__in=(LoanStatus.NEW, LoanStatus.ACTIVE)).order_by("pk")
        if chosen := self.chance.choice([*open_ones, None]):
            self.requests += 1
            post_collateral(
                client="", request_id=f"walk-{self.requests}", loan_id=chosen.loan_id, borrower_id=chosen.borrower_id,
                amount=Decimal(self.chance.choice(("1", "5", "20"))),
            )  # fmt: skip

    def apply(self):
        self.loans.append(LoanFactory(collateral=Decimal(self.chance.choice(("20", "30", "45")))))

    def pause(self):
        self._pull(ControlKind.PAUSE_CLAIMS)

    def set_aside(self):
        self._pull(ControlKind.SET_ASIDE, market=self.chance.choice(list(Market)))

    def end_control(self):
        for control in Control.objects.filter(until__gt=clock.now()):
            pull.end(control.pk, by="leia", by_id=1, two_people=True)

    def _pull(self, kind, **of):
        if not Control.objects.filter(kind=kind, until__gt=clock.now()).exists():
            pull.pull(kind, lasts=timedelta(hours=1), why="to see", by="leia", by_id=1, two_people=True, **of)


def steps_of(fate_of):
    """What can be compared: by which prices, and whether a call was cleared."""
    calls = zip(fate_of.calls, fate_of.cleared_at, strict=True)
    return (
        [(call.at, call.price, call.balance, call.collateral, cleared is not None) for call, cleared in calls],
        fate_of.sale and (fate_of.sale.at, fate_of.sale.price, fate_of.sale.balance, fate_of.sale.collateral),
    )


@pytest.mark.parametrize("seed", range(8))
def test_the_same_terms_give_the_same_loans_at_the_same_instants(seed, quote, loan):
    start = clock.now()
    Bank(seed, quote, loan).run(60)
    prices = RecordedPrices(start, clock.now())
    assert prices.lowest is not None
    compared = 0
    for batch in history.batches(prices.start, prices.end, service._thresholds({}), prices.lowest):
        replayed = {one.pk: fate(one, prices, prices.pauses, prices.end) for one in batch.loans}
        assert {pk for pk, found in batch.reality.items() if pk not in replayed} == set()
        for pk, found in replayed.items():
            really = batch.reality.get(pk)
            if really is None:
                assert (found.calls, found.sale) == ((), None)
            else:
                assert steps_of(found) == steps_of(really)
                compared += len(really.calls) + (really.sale is not None)
    assert compared == MarginCall.objects.count() + Liquidation.objects.count()
    assert compared > 10
