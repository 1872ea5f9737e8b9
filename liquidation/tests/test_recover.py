"""Recovery rings what is due, once a while, oldest first; and a person's word ends what no market explains."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from kombu.exceptions import OperationalError

from coruscant import clock, enqueue
from liquidation import backlog, chains, invariants, publish, recover, resolution, tasks
from liquidation.claim import claim_loans
from liquidation.conftest import point_now
from liquidation.errors import FiguresDoNotFit, OrderNotUnresolved, SaleUnfinished
from liquidation.models import ClaimFailure, Liquidation, LiquidationEvent, LiquidationStatus, OrderStatus, TradeOrder
from liquidation.sell import Outcome, sell
from loans.models import Loan
from pricing.ingest import prune
from pricing.markets import Market

pytestmark = pytest.mark.django_db

SALE = ("liquidation.sell", "liquidation.publish")


def test_a_sale_whose_bell_was_lost_is_rung_again_but_not_twice(claimed, bells, time_passes):
    liquidation = claimed("25")
    assert recover.recover() == 1
    assert recover.recover() == 0
    time_passes(seconds=recover.ENQUEUED_AGAIN_AFTER.total_seconds())
    assert recover.recover() == 1
    sales = [bell for bell in bells if bell[0] == SALE]
    assert sales == [(SALE, {"liquidation_id": liquidation.pk})] * 2


def test_a_killed_worker_is_followed_by_another_within_the_promise(claimed, bells, markets, time_passes, settings):
    class Killed(BaseException):
        pass

    liquidation = claimed("25")
    markets.then(Killed())
    with pytest.raises(Killed):
        sell(liquidation.pk)
    assert recover.recover() == 0
    time_passes(seconds=settings.LEASE_SECONDS)
    assert recover.recover() == 1
    assert sell(liquidation.pk) is Outcome.SETTLED
    assert len(markets.traded) == 1


def test_an_unsent_event_is_rung_on_its_own(claimed, bells, markets):
    liquidation = claimed("25")
    sell(liquidation.pk)
    recover.recover()
    assert (("liquidation.publish",), {"liquidation_id": liquidation.pk}) in bells
    assert LiquidationEvent.objects.get().sent_at is None


def test_old_quotes_that_a_night_has_left_are_rung_for_again(bells, quote):
    month = timedelta(days=32).total_seconds()
    quote("50", ago=month, swept=True)
    quote("50", swept=True)
    recover.recover()
    assert (("pricing.prune_quotes",), {}) in bells
    bells.clear()
    prune.prune()
    recover.recover()
    assert (("pricing.prune_quotes",), {}) not in bells


def test_a_failed_claim_is_withdrawn_when_the_loan_has_recovered(loan, quote, bells):
    spared, breached = loan(collateral="60"), loan(collateral="40")
    for failed in (spared, breached):
        ClaimFailure.objects.create(loan=failed, price=25, reason="x", failed_at=clock.now())
    recover.recover()
    assert ClaimFailure.objects.count() == 2, "no price is known"
    quote("30")
    recover.recover()
    assert ClaimFailure.objects.get().loan == breached
    quote("60")
    recover.recover()
    assert not ClaimFailure.objects.exists()


def test_unswept_quotes_ring_the_sweep(quote, bells):
    quote("25")
    recover.recover()
    assert (("liquidation.evaluate_loans",), {}) in bells


def test_a_run_is_bounded_and_takes_the_oldest_first(loan, quote, bells):
    quote("25")
    pks = claim_loans([loan(collateral=str(n)).pk for n in range(10, 15)], point_now())
    assert recover.recover(limit=3) == 3
    assert recover.recover(limit=3) == 2
    assert sorted(bell[1]["liquidation_id"] for bell in bells if bell[0] == SALE) == sorted(pks)


def test_the_most_overdue_are_rung_first(loan, quote, bells):
    quote("25")
    pks = claim_loans([loan(collateral=str(n)).pk for n in range(10, 15)], point_now())
    order = [pks[number] for number in (3, 0, 4, 1, 2)]
    for minutes, pk in enumerate(reversed(order), 1):
        Liquidation.objects.filter(pk=pk).update(due_at=clock.now() - timedelta(minutes=minutes))
    recover.recover()
    assert [bell[1]["liquidation_id"] for bell in bells if bell[0] == SALE] == order


def test_a_broker_that_is_down_fails_nobody(monkeypatch, claimed):
    liquidation = claimed("25")

    def down(*args, **kwargs):
        raise OperationalError("no broker")

    monkeypatch.setattr("celery.canvas._chain.apply_async", down)
    assert enqueue.now(chains.sale(liquidation.pk)) is False


def test_the_task_asks_celery_to_come_again_only_when_something_is_left(claimed, markets):
    liquidation = claimed("25")
    markets.then(500)
    with pytest.raises(SaleUnfinished):
        tasks.sell.run(liquidation_id=liquidation.pk)
    tasks.sell.run(liquidation_id=liquidation.pk)  # not due: whoever is at it, or recovery, will come
    other = Liquidation.objects.get()
    other.orders.update(due_at=clock.now())
    tasks.sell.run(liquidation_id=liquidation.pk)
    tasks.sell.run(liquidation_id=liquidation.pk)
    assert Liquidation.objects.get().status == LiquidationStatus.SETTLED


@pytest.fixture
def unresolved(claimed, markets, time_passes):
    liquidation = claimed("31.25")
    markets.price[Market.MOS_ESPA] = Decimal("31.25")
    markets.then(500, json.dumps({"success": False, "reason": "duplicate request"}))
    sell(liquidation.pk)
    time_passes(seconds=5)
    assert sell(liquidation.pk) is Outcome.WAITING
    return TradeOrder.objects.get()


def person():
    return {"actor_name": "ahsoka", "actor_id": 7}


def test_recovery_does_not_ring_what_waits_for_a_person(unresolved, bells, time_passes):
    time_passes(seconds=600)
    assert recover.recover() == 0


def test_a_person_says_that_the_market_traded(unresolved, bells, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        resolution.resolve_as_traded(order_id=unresolved.pk, units=Decimal(32), proceeds=Decimal(1000), **person())
    assert Liquidation.objects.get().status == LiquidationStatus.SETTLED
    assert Loan.objects.get().collateral == 8
    newest = unresolved.history.order_by("-history_id").first()
    assert (newest.status, newest.history_actor, newest.history_user_id) == ("filled", "ahsoka", 7)
    assert bells[-1][0] == SALE
    assert not [finding for finding in invariants.check() if finding.violations]


def test_a_person_says_that_the_market_did_not_trade_and_the_sale_goes_on(unresolved, markets, bells):
    resolution.resolve_as_not_traded(order_id=unresolved.pk, **person())
    assert sell(unresolved.liquidation_id) is Outcome.SETTLED
    assert [order.status for order in TradeOrder.objects.order_by("sequence")] == [
        OrderStatus.REFUSED,
        OrderStatus.FILLED,
    ]
    assert not [finding for finding in invariants.check() if finding.violations]


@pytest.mark.parametrize(("units", "proceeds"), [("0", "1"), ("33", "1"), ("32", "0"), ("-1", "1")])
def test_impossible_figures_are_refused_and_nothing_changes(unresolved, units, proceeds):
    with pytest.raises(FiguresDoNotFit):
        resolution.resolve_as_traded(
            order_id=unresolved.pk, units=Decimal(units), proceeds=Decimal(proceeds), **person()
        )
    assert TradeOrder.objects.get().status == OrderStatus.UNRESOLVED
    assert Liquidation.objects.get().status == LiquidationStatus.WAITING


def test_only_the_first_persons_word_counts(unresolved, bells):
    resolution.resolve_as_not_traded(order_id=unresolved.pk, **person())
    with pytest.raises(OrderNotUnresolved):
        resolution.resolve_as_traded(order_id=unresolved.pk, units=Decimal(1), proceeds=Decimal(1), **person())


def test_a_worker_pulls_what_is_due_and_rung_for_nobody(loan, quote, bells, markets, monkeypatch):
    quote("25")
    pks = claim_loans([loan(collateral=str(n)).pk for n in range(40, 45)], point_now())
    recover.mark_enqueued(pks[:1])
    published = []
    monkeypatch.setattr(publish, "publish_all", published.extend)
    backlog.enqueue_if_any_due()
    assert bells == [(("liquidation.sell_backlog",), {})]
    assert backlog.sell_backlog() == 4
    assert Liquidation.objects.filter(status=LiquidationStatus.SETTLED).count() == 4
    assert sorted(published) == pks[1:]
    assert backlog.sell_backlog() == 0
    backlog.enqueue_if_any_due()
    assert len(bells) == 1, "nothing is left to ring for"


def test_a_slow_market_keeps_nobody_waiting_who_was_taken_with_it(loan, quote, bells, markets, monkeypatch):
    quote("25")
    pks = claim_loans([loan(collateral=str(n)).pk for n in range(40, 43)], point_now())
    monkeypatch.setattr(backlog, "LONGEST_WAIT_SECONDS", 0.0)
    taken = []
    monkeypatch.setattr(backlog, "sell", lambda pk: taken.append(pk) or sell(pk))
    monkeypatch.setattr(publish, "publish_all", lambda settled: None)
    given_back = []
    give_back = recover.give_back
    monkeypatch.setattr(
        recover, "give_back", lambda left, taken_at: given_back.append(list(left)) or give_back(left, taken_at)
    )
    assert backlog.sell_backlog() == 3
    assert sorted(taken) == sorted(pks), "given back and taken again, at once"
    assert [len(left) for left in given_back] == [2, 1]


def test_what_somebody_has_rung_for_meanwhile_is_not_given_back(claimed, bells, time_passes):
    liquidation, taken_at = claimed("25"), clock.now()
    assert recover.take_due_sales(taken_at, 1) == [liquidation.pk]
    time_passes(seconds=20)
    assert recover.recover() == 1
    recover.give_back([liquidation.pk], taken_at)
    assert recover.take_due_sales(clock.now(), 1) == []


def test_no_more_sales_are_taken_than_asked_for_whatever_plan_the_database_chooses(loan, quote):
    quote("25")
    pks = claim_loans([loan(collateral=str(n)).pk for n in range(40, 45)], point_now())
    with connection.cursor() as cursor:
        for way in ("hashjoin", "mergejoin", "hashagg", "sort", "material", "indexscan", "bitmapscan", "indexonlyscan"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    taken = recover.take_due_sales(clock.now(), 2)
    assert set(taken) < set(pks)
    assert len(taken) == Liquidation.objects.filter(enqueued_at__isnull=False).count() == 2


def test_a_sale_that_nobody_takes_up_becomes_overdue_however_often_it_is_rung(claimed, bells):
    liquidation = claimed("25")
    Liquidation.objects.filter(pk=liquidation.pk).update(due_at=clock.now() - timedelta(minutes=2))
    recover.recover()
    assert "I2b" in [finding.invariant.name for finding in invariants.check() if finding.violations]
