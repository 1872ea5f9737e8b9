"""The database goes back to an earlier instant while the markets do not: by their own logs no unit is sold twice.

The restore is a real one: the database is replaced by a copy that was made at that instant.
"""

from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connections

from coruscant import clock, failpoints
from coruscant.restores import holds, identity
from coruscant.restores.models import Restore
from liquidation import invariants, restored
from liquidation.claim import claim_loans
from liquidation.conftest import point_now
from liquidation.evaluate import evaluate_loans
from liquidation.models import Liquidation, LiquidationEvent, LiquidationStatus
from liquidation.reconciliation.conftest import HEADER, lines_of
from liquidation.reconciliation.models import ReconciliationDifference
from liquidation.reconciliation.two_people import ADOPT, RELEASE_CLAIMS
from liquidation.sell import Outcome, sell
from loans.models import Loan
from pricing import best_price
from pricing.markets import Market
from proofs.service.copies import drop, fresh_copy

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_cache", "enqueued")]

COPY = "restored_copy"
#: The loan's collateral, of which 200 units cover the debt at 25 GC.
COLLATERAL, NEEDED = Decimal(250), Decimal(200)
INSTANTS = {
    "before the claim": "claim.locked",
    "the claim": "evaluate.batch_committed",
    "the first send": "sell.order_committed",
    "the first fill": "sell.booked",
    "the second send": "sell.order_committed, again",
}


class Disaster:
    """A copy of the database, made when a failpoint is reached, that later takes its place."""

    def __init__(self, stack, failpoint):
        self._stack = stack
        self._name, _, again = failpoint.partition(", ")
        self._left = 2 if again else 1
        self._database = connections["default"].settings_dict["NAME"]
        self.at = None

    def reach(self, name):
        if name == self._name and self.at is None:
            self._left -= 1
            if not self._left:
                self.take_a_copy()

    def take_a_copy(self):
        self.at = clock.now()
        connections.close_all()
        fresh_copy(self._stack, database=COPY, template=self._database)

    def strike(self):
        """Put the copy in the database's place."""
        connections.close_all()
        fresh_copy(self._stack, database=self._database, template=COPY)


@pytest.fixture
def disaster(stack):
    made = []

    def make(instant):
        made.append(Disaster(stack, INSTANTS[instant]))
        return made[0]

    yield make
    failpoints.arm(None)
    connections.close_all()
    drop(stack, COPY)


@pytest.fixture
def sold_and_lost(disaster, loan, quote, markets):
    """Sell a loan at Mos Espa, and go back to an instant; now the other market pays more."""

    def act(instant, *, resends):
        ours = loan(amount="5000", collateral=str(COLLATERAL))
        quote("25")
        assert identity.accepted()  # the service runs
        what = disaster(instant)
        if instant == "before the claim":
            what.take_a_copy()
        else:
            failpoints.arm(what.reach)
        evaluate_loans()
        (pk,) = Liquidation.objects.values_list("pk", flat=True)
        assert sell(pk) is Outcome.SETTLED
        failpoints.arm(None)
        assert sum(units for units, _proceeds in markets.traded.values()) == NEEDED
        event_id = LiquidationEvent.objects.get().event_id
        what.strike()
        _again(markets, resends)
        markets.price[Market.BLACK_SPIRE_OUTPOST] = Decimal(26)
        quote("26", market=Market.BLACK_SPIRE_OUTPOST)
        best_price.refresh()
        return ours, what.at, event_id

    return act


def _again(markets, resends):
    """What the markets say to a request that they have traded."""
    traded, trade = set(markets.traded), markets.trade

    def answer(market, order, *share):
        if order["requestId"] in traded and resends == "refused":
            return markets.refusal(market)
        return trade(market, order, *share)

    markets.trade = answer


def keep_selling():
    """Everything that recovery would do by itself, for a while."""
    for _ in range(6):
        evaluate_loans()
        Liquidation.objects.filter(status=LiquidationStatus.SELLING).update(due_at=clock.now(), leased_until=None)
        for pk in Liquidation.objects.values_list("pk", flat=True):
            sell(pk)


@pytest.fixture
def wait_for_statements():
    """Let the clock go on from when statements may cover a restore."""
    with ExitStack() as driven:

        def act(restore):
            ahead = holds.statements_cover(restore)[1] - clock.now()
            driven.enter_context(clock.driven_by(lambda: clock._database_now() + ahead))

        yield act


def sold(markets):
    """Units, by the markets' own logs."""
    return sum(units for units, _proceeds in markets.traded.values())


@pytest.mark.parametrize("resends", ["refused", "answered"])
@pytest.mark.parametrize("instant", INSTANTS)
def test_no_unit_is_sold_twice_however_far_the_books_went_back(
    instant, resends, sold_and_lost, markets, two_agree, wait_for_statements, tmp_path
):
    ours, at, event_id = sold_and_lost(instant, resends=resends)
    calls = len(markets.sent)
    keep_selling()
    assert len(markets.sent) == calls, "noticed"

    call_command("after_restore", since=at, user="leia")
    keep_selling()
    assert len(markets.sent) == calls, "held"

    two_agree(RELEASE_CLAIMS, restore_id=Restore.objects.get().pk)  # the OTC service had nothing to repeat
    keep_selling()
    assert len(markets.sent) == calls, "claims go on, their sales do not"

    wait_for_statements(Restore.objects.get())
    for market in Market:
        statement = tmp_path / f"{market}.csv"
        statement.write_text(HEADER + "".join(lines_of(markets, market)))
        period = {"start": at - timedelta(hours=1), "end": clock.now()}
        for _twice in range(2):
            try:
                call_command("reconcile", str(statement), market=market.value, **period)
            except SystemExit:
                assert ReconciliationDifference.objects.filter(status="open").exists()
    keep_selling()
    assert len(markets.sent) == calls, "the statements show trades that nobody has adopted"

    for difference in ReconciliationDifference.objects.filter(status="open").order_by("pk"):
        assert difference.loan == ours
        two_agree(ADOPT, difference_id=difference.pk)
    keep_selling()
    sale = Liquidation.objects.get()
    assert (sale.status, sale.held_by) == (LiquidationStatus.SETTLED, None)
    assert sold(markets) == sale.collateral_sold == NEEDED
    assert LiquidationEvent.objects.get().event_id == event_id
    broken = [finding for finding in invariants.check() if finding.violations]
    assert not broken, broken


@pytest.mark.parametrize("instant", ["before the claim", "the claim", "the first fill"])
def test_without_the_hold_units_would_be_sold_twice(instant, sold_and_lost, markets, monkeypatch):
    """Computed ids alone do not make a restore safe: the market refuses what it has traded, and the other pays more.

    (An order that the restored books know as sent is not believed refused in any case.)
    """
    sold_and_lost(instant, resends="refused")
    monkeypatch.setattr(identity, "accepted", lambda: True)
    keep_selling()
    assert Liquidation.objects.get().status == LiquidationStatus.SETTLED
    assert sold(markets) > NEEDED


@pytest.mark.parametrize("instant", ["the first send", "the second send"])
def test_refusals_of_a_released_sales_pending_order_are_not_believed(instant, sold_and_lost, markets, two_agree):
    """A person releases the sale without any statement. Its first send is counted anew, and refused three times."""
    _ours, at, _event_id = sold_and_lost(instant, resends="refused")
    restored.begin(since=at, by="leia")
    two_agree("liquidation.release_sale", liquidation_id=Liquidation.objects.get().pk)
    before = sold(markets)
    keep_selling()
    assert sold(markets) == before
    assert Liquidation.objects.get().status == LiquidationStatus.SELLING


def test_a_loan_that_was_claimed_and_sold_in_the_gap_is_not_sold_by_the_next_price(sold_and_lost, quote, markets):
    """The books call it active. Claims are held; whoever claims it nevertheless finds its sale held."""
    ours, at, _event_id = sold_and_lost("before the claim", resends="refused")
    restored.begin(since=at, by="leia")
    for market in Market:
        quote("20", market=market)
    claim_loans([ours.pk], point_now())
    before = sold(markets)
    keep_selling()
    assert Loan.objects.get().status == "liquidating"
    assert sold(markets) == before
