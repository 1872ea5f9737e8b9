"""A trade that a market states is booked once, whatever the books knew of it; what cannot be booked is explained."""

from datetime import timedelta
from decimal import Decimal

import pytest

from coruscant import clock, history
from coruscant.approvals.ask import ask
from coruscant.approvals.tests.support import representative
from coruscant.restores import identity
from coruscant.restores.identity import DatabaseReplaced
from coruscant.restores.models import DatabaseIdentity
from liquidation import invariants, resolution, restored
from liquidation.models import Liquidation, LiquidationEvent, LiquidationStatus, OrderStatus, TradeOrder
from liquidation.reconciliation.conftest import lines_of
from liquidation.reconciliation.differences import (
    DifferenceNotOpen,
    NotAdoptable,
    RequestsNotRepeated,
    TradeDoesNotFit,
    adopt,
    explain,
)
from liquidation.reconciliation.models import ReconciliationDifference
from liquidation.reconciliation.tests.test_compare import line, next_id
from liquidation.reconciliation.two_people import ADOPT, EXPLAIN, RELEASE_CLAIMS
from liquidation.sell import Outcome, sell
from loans.models import CollateralPosting, Loan, LoanStatus
from loans.tests.factories import LoanFactory
from pricing.markets import Market

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_cache")]


def books_are_right():
    broken = [finding for finding in invariants.check() if finding.violations]
    assert not broken, broken


def the_difference():
    return ReconciliationDifference.objects.get()


def test_a_trade_of_a_loan_that_the_books_call_active_claims_it_and_the_sale_goes_on(
    two_agree, loan, quote, markets, compare, enqueued
):
    ours = loan()
    quote("25", evaluated=True)
    request_id = next_id(ours, 2)
    compare(lines=[line(request_id, "8", "201.5")])
    two_agree(ADOPT, difference_id=the_difference().pk)
    sale, order = Liquidation.objects.get(), TradeOrder.objects.get()
    ours.refresh_from_db()
    assert (ours.status, ours.collateral, ours.outstanding_balance) == (LoanStatus.LIQUIDATING, 32, Decimal("798.5"))
    assert (sale.price, sale.balance_at_claim, sale.collateral_at_claim) == (Decimal("25.1875"), 1000, 40)
    assert (order.number, order.request_id, order.units_traded, order.proceeds) == (2, request_id, 8, Decimal("201.5"))
    assert sale.evidence[0]["reference"].startswith("statement ")
    assert enqueued == [(("liquidation.sell", "liquidation.publish"), {"liquidation_id": sale.pk})]
    books_are_right()
    assert sell(sale.pk) is Outcome.SETTLED
    assert [order.number for order in TradeOrder.objects.filter(market=order.market).order_by("sequence")] == [2, 3]
    assert Liquidation.objects.get().collateral_sold == Decimal("39.94")
    books_are_right()


def test_a_trade_is_adopted_once(two_agree, loan, quote, markets, compare, enqueued):
    ours = loan()
    compare(lines=[line(next_id(ours))])
    two_agree(ADOPT, difference_id=the_difference().pk)
    with pytest.raises(DifferenceNotOpen):
        adopt(the_difference().pk, by="Leia and Han")
    with pytest.raises(DifferenceNotOpen):
        explain(the_difference().pk, note="why", by="Leia and Han")
    compare(lines=[line(next_id(ours))])  # a second trade of it, at another instant
    assert TradeOrder.objects.count() == 1
    assert Loan.objects.get().collateral == 32
    again = ReconciliationDifference.objects.get(status="open")
    assert (again.kind, again.units) == ("figures", 16)
    with pytest.raises(NotAdoptable):
        adopt(again.pk, by="Leia and Han")


def test_a_loan_that_the_books_call_new_is_active_before_it_is_claimed(two_agree, quote, markets, compare, enqueued):
    with history.cause("posting", correlation_id="test"):
        ours = LoanFactory(amount=Decimal(1000), collateral=Decimal(40))
        CollateralPosting.objects.create(loan=ours, amount=40, request_id="p", created_at=ours.created_at)
    compare(lines=[line(next_id(ours))])
    two_agree(ADOPT, difference_id=the_difference().pk)
    assert [row.status for row in ours.history.order_by("history_id")][-3:] == ["active", "liquidating", "liquidating"]
    finding = {finding.invariant.name: finding.violations for finding in invariants.check()}
    assert finding["I5"] == finding["I1"] == finding["I3"] == finding["I6"] == 0


@pytest.mark.parametrize("status", ["unknown", "unresolved", "refused"])
def test_a_known_order_is_booked_whatever_was_believed_of_it(two_agree, status, claimed, markets, compare, enqueued):
    liquidation = claimed("25")
    markets.then({"unknown": "trade, then lose the answer", "unresolved": 503, "refused": "refuse"}[status])
    if status == "refused":
        markets.then("refuse", "refuse", 503)
    sell(liquidation.pk)
    order = TradeOrder.objects.earliest("sequence")
    if status == "unresolved":
        with history.cause("test", correlation_id="test"):
            TradeOrder.objects.update(status="unresolved")
            Liquidation.objects.update(status="waiting")
    fence = Liquidation.objects.get().fence
    compare(lines=[line(order.request_id, "40", "1000")], market=order.market)
    two_agree(ADOPT, difference_id=the_difference().pk)
    order.refresh_from_db()
    sale = Liquidation.objects.get()
    assert (order.status, order.units_traded, sale.collateral_sold, sale.fence) == ("filled", 40, 40, fence + 1)
    if status == "refused":  # another order of this sale has no verdict yet
        assert sale.status == LiquidationStatus.SELLING
        assert Loan.objects.get().status == LoanStatus.LIQUIDATING
    else:
        assert sale.status == LiquidationStatus.SETTLED
        assert LiquidationEvent.objects.count() == 1
    books_are_right()


def test_a_worker_that_is_selling_meanwhile_books_nothing_twice(two_agree, claimed, markets, compare, enqueued):
    liquidation = claimed("25")

    def adopted_meanwhile(market, order):
        answer = markets.trade(market, order)
        compare(lines=lines_of(markets, market), market=market)
        two_agree(ADOPT, difference_id=the_difference().pk)
        return answer

    markets.then(adopted_meanwhile)
    assert sell(liquidation.pk) is Outcome.BUSY
    assert Liquidation.objects.get().collateral_sold == 40
    books_are_right()


def test_an_order_of_more_than_is_left_after_an_adoption_waits_for_a_person(
    two_agree, claimed, markets, compare, enqueued, time_passes
):
    sale = claimed("25")
    markets.then(500)
    assert sell(sale.pk) is Outcome.LATER  # 40 units, and nobody knows
    ours = Loan.objects.get()
    compare(lines=[line(next_id(ours, 2), "8", "200")])
    two_agree(ADOPT, difference_id=the_difference().pk)
    time_passes(seconds=20)
    assert sell(sale.pk) is Outcome.WAITING
    assert len(markets.sent) == 1
    pending = TradeOrder.objects.get(number=1)
    assert pending.status == OrderStatus.UNRESOLVED
    person = {"order_id": pending.pk, "actor_name": "Leia", "actor_id": 1}
    with pytest.raises(resolution.FiguresDoNotFit, match="32 units left"):
        resolution.resolve_as_traded(units=Decimal(40), proceeds=Decimal(1000), **person)
    resolution.resolve_as_not_traded(**person)
    assert sell(sale.pk) is Outcome.SETTLED
    assert Liquidation.objects.get().collateral_sold == 40
    books_are_right()


def test_a_loan_without_so_many_units_is_not_sold_and_a_trade_without_loan_neither(loan, markets, compare, enqueued):
    ours = loan()
    compare(lines=[line(next_id(ours), "41", "1000"), line("of-no-loan")])
    for difference in ReconciliationDifference.objects.order_by("pk"):
        with pytest.raises(NotAdoptable if difference.loan is None else TradeDoesNotFit):
            adopt(difference.pk, by="Leia and Han")
    assert not Liquidation.objects.exists()
    assert ReconciliationDifference.objects.filter(status="open").count() == 2
    books_are_right()


def test_more_than_was_ordered_is_not_booked(claimed, markets, compare, enqueued):
    liquidation = claimed("25")
    markets.then(503)
    sell(liquidation.pk)
    with history.cause("test", correlation_id="test"):
        TradeOrder.objects.update(quantity=7)
    compare(lines=[line(TradeOrder.objects.get().request_id)])
    with pytest.raises(TradeDoesNotFit):
        adopt(the_difference().pk, by="Leia and Han")
    assert Liquidation.objects.get().collateral_sold == 0


def test_a_price_that_cannot_be_stored_is_not_booked(loan, markets, compare, enqueued):
    compare(lines=[line(next_id(loan()), "0.00000001", "99999999999999999999")])
    with pytest.raises(TradeDoesNotFit):
        adopt(the_difference().pk, by="Leia and Han")
    assert Loan.objects.get().status == LoanStatus.ACTIVE


def test_a_settled_sale_is_explained_and_stays_so_until_other_figures_are_stated(
    two_agree, claimed, markets, compare, enqueued
):
    sell(claimed("25").pk)
    unknown = line(next_id(Loan.objects.get(), 2))
    compare(lines=[*lines_of(markets, Market.MOS_ESPA), unknown])
    with pytest.raises(NotAdoptable, match="settled"):
        adopt(the_difference().pk, by="Leia and Han")
    two_agree(EXPLAIN, difference_id=the_difference().pk, note="the market has paid it back")
    compare(lines=[*lines_of(markets, Market.MOS_ESPA), unknown])
    assert (the_difference().status, the_difference().note) == ("explained", "the market has paid it back")
    books_are_right()
    compare(lines=[*lines_of(markets, Market.MOS_ESPA), unknown, line(next_id(Loan.objects.get(), 2), "1", "25")])
    assert ReconciliationDifference.objects.filter(status="open").count() == 1


def test_nor_although_statements_have_been_compared(loan, markets, compare, enqueued, time_passes):
    """What they released are sales. The OTC service may still have postings to repeat."""
    ours = loan()
    restore = restored.begin(since=clock.now() - timedelta(minutes=5), by="Leia", insist=True)
    time_passes(minutes=5)
    for market in Market:
        compare(market, [])
    restore.refresh_from_db()
    assert restore.compared_at is not None
    compare(lines=[line(next_id(ours))])
    with pytest.raises(RequestsNotRepeated):
        adopt(the_difference().pk, by="Leia and Han")
    assert Loan.objects.get().status == LoanStatus.ACTIVE


def test_nothing_is_adopted_or_explained_in_books_that_were_replaced(loan, markets, compare, enqueued):
    compare(lines=[line(next_id(loan()))])
    identity.accept("before")
    DatabaseIdentity.objects.update(timeline=0)
    with pytest.raises(DatabaseReplaced):
        adopt(the_difference().pk, by="Leia and Han")
    with pytest.raises(DatabaseReplaced):
        explain(the_difference().pk, note="why", by="Leia and Han")
    assert (the_difference().status, Loan.objects.get().status) == ("open", LoanStatus.ACTIVE)


def test_both_see_the_lines_of_a_sum(loan, markets, compare, enqueued):
    """A market that states a trade again, in other figures of its time, must not sell twice as much by that."""
    request_id, at = next_id(loan()), clock.now()
    compare(lines=[line(request_id, at=at)])
    asked = {"why": "The market says so.", "asked_by": representative("leia")}
    assert "sum" not in ask(ADOPT, {"difference_id": the_difference().pk}, **asked).effect
    compare(lines=[line(request_id, at=at.replace(microsecond=0))])
    effect = ask(EXPLAIN, {"difference_id": the_difference().pk, "note": "stated twice"}, **asked).effect
    assert "traded 16 units for 400 GC in total" in effect
    assert "the sum of 2 lines: 8 units for 200 GC at" in effect
    assert "in statement 2 of Mos Espa" in effect


def test_a_loan_is_not_claimed_while_postings_of_it_may_be_lost(two_agree, loan, markets, compare, enqueued):
    ours = loan()
    restore = restored.begin(since=clock.now() - timedelta(minutes=5), by="Leia", insist=True)
    compare(lines=[line(next_id(ours))])
    with pytest.raises(RequestsNotRepeated):
        adopt(the_difference().pk, by="Leia and Han")
    assert Loan.objects.get().status == LoanStatus.ACTIVE
    two_agree(RELEASE_CLAIMS, restore_id=restore.pk)
    enqueued.clear()
    two_agree(ADOPT, difference_id=the_difference().pk)
    sale = Liquidation.objects.get()
    assert (sale.collateral_sold, sale.held_by, sale.orders_may_be_missing) == (8, restore, True)
    assert not enqueued
    assert TradeOrder.objects.get().status == OrderStatus.FILLED
    books_are_right()
