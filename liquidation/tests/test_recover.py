"""Recovery: what is due is enqueued again, the most overdue first, and not twice within a while."""

from datetime import timedelta

import pytest
from django.db import connection
from kombu.exceptions import OperationalError

from coruscant import clock, enqueue
from liquidation import chains, invariants, recover
from liquidation.claim import claim_loans
from liquidation.conftest import point_now
from liquidation.models import ClaimFailure, Liquidation, LiquidationEvent
from liquidation.sell import Outcome, sell
from pricing.ingest import prune

pytestmark = pytest.mark.django_db

SALE = ("liquidation.sell", "liquidation.publish")


def test_a_sale_whose_task_was_lost_is_enqueued_again_but_not_twice(claimed, enqueued, time_passes):
    liquidation = claimed("25")
    assert recover.recover() == 1
    assert recover.recover() == 0
    time_passes(seconds=recover.ENQUEUED_AGAIN_AFTER.total_seconds())
    assert recover.recover() == 1
    sales = [task for task in enqueued if task[0] == SALE]
    assert sales == [(SALE, {"liquidation_id": liquidation.pk})] * 2


def test_a_killed_worker_is_followed_by_another_within_the_promise(claimed, enqueued, markets, time_passes, settings):
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


def test_an_unsent_event_is_enqueued_on_its_own(claimed, enqueued, markets):
    liquidation = claimed("25")
    sell(liquidation.pk)
    recover.recover()
    assert (("liquidation.publish",), {"liquidation_id": liquidation.pk}) in enqueued
    assert LiquidationEvent.objects.get().sent_at is None


def test_pruning_that_is_overdue_is_enqueued_again(enqueued, quote):
    month = timedelta(days=32).total_seconds()
    quote("50", ago=month, evaluated=True)
    quote("50", evaluated=True)
    recover.recover()
    assert (("pricing.prune_quotes",), {}) in enqueued
    enqueued.clear()
    prune.prune()
    recover.recover()
    assert (("pricing.prune_quotes",), {}) not in enqueued


def test_a_failed_claim_is_withdrawn_when_the_loan_has_recovered(loan, quote, enqueued):
    spared, breached = loan(collateral="60"), loan(collateral="40")
    for failed in (spared, breached):
        ClaimFailure.objects.create(loan=failed, price=25, reason="x", failed_at=clock.now())
    recover.recover()
    assert ClaimFailure.objects.count() == 2, "no price is known"
    quote("30")
    recover.recover()
    assert ClaimFailure.objects.get().loan == breached
    quote("40")
    recover.recover()
    assert not ClaimFailure.objects.exists()


def test_unevaluated_quotes_enqueue_an_evaluation(quote, enqueued):
    quote("25")
    recover.recover()
    assert (("liquidation.evaluate_loans",), {}) in enqueued


def test_a_run_is_bounded_and_takes_the_oldest_first(loan, quote, enqueued):
    quote("25")
    pks = claim_loans([loan(collateral=str(n)).pk for n in range(10, 15)], point_now())
    assert recover.recover(limit=3) == 3
    assert recover.recover(limit=3) == 2
    assert sorted(task[1]["liquidation_id"] for task in enqueued if task[0] == SALE) == sorted(pks)


def test_the_most_overdue_are_enqueued_first(loan, quote, enqueued):
    quote("25")
    pks = claim_loans([loan(collateral=str(n)).pk for n in range(10, 15)], point_now())
    order = [pks[number] for number in (3, 0, 4, 1, 2)]
    for minutes, pk in enumerate(reversed(order), 1):
        Liquidation.objects.filter(pk=pk).update(due_at=clock.now() - timedelta(minutes=minutes))
    recover.recover()
    assert [task[1]["liquidation_id"] for task in enqueued if task[0] == SALE] == order


@pytest.mark.parametrize(("waiting", "sent"), [(0, 5), (2, 3), (5, 0), (2626, 0)])
def test_no_more_is_sent_than_workers_can_take_before_it_expires(loan, quote, enqueued, monkeypatch, waiting, sent):
    quote("25")
    claim_loans([loan(collateral=str(n)).pk for n in range(10, 16)], point_now())
    monkeypatch.setattr("coruscant.enqueue.waiting", lambda queue: waiting if queue == "liquidations" else 0)
    assert recover.recover(limit=5) == sent
    assert Liquidation.objects.filter(enqueued_at=None).count() == 6 - sent, "what is not sent stays due"


def test_what_waits_to_be_published_has_a_queue_of_its_own(claimed, enqueued, markets, monkeypatch):
    sell(claimed("25").pk)
    monkeypatch.setattr("coruscant.enqueue.waiting", lambda queue: 1000 if queue == "liquidations" else 0)
    assert recover.recover() == 1
    monkeypatch.setattr("coruscant.enqueue.waiting", lambda queue: 1000 if queue == "events" else 0)
    LiquidationEvent.objects.update(enqueued_at=None)
    assert recover.recover() == 0


def test_a_broker_that_is_down_fails_nobody(monkeypatch, claimed):
    liquidation = claimed("25")

    def down(*args, **kwargs):
        raise OperationalError("no broker")

    monkeypatch.setattr("celery.canvas._chain.apply_async", down)
    assert enqueue.now(chains.sale(liquidation.pk)) is False


def test_what_was_enqueued_again_meanwhile_is_not_given_back(claimed, enqueued, time_passes):
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


def test_a_sale_that_nobody_takes_up_becomes_overdue_however_often_it_is_enqueued(claimed, enqueued):
    liquidation = claimed("25")
    Liquidation.objects.filter(pk=liquidation.pk).update(due_at=clock.now() - timedelta(minutes=2))
    recover.recover()
    assert "I2b" in [finding.invariant.name for finding in invariants.check() if finding.violations]
