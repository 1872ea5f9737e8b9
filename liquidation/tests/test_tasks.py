"""The tasks: one call each, and Celery tries again only when something is left to do."""

import pytest

from coruscant import clock
from liquidation import tasks
from liquidation.models import Liquidation, LiquidationStatus, TradeOrder
from liquidation.tasks import SaleUnfinished

pytestmark = pytest.mark.django_db


def test_each_task_makes_its_one_call(claimed, markets, enqueued, monkeypatch):
    liquidation = claimed("25")
    tasks.evaluate_loans.run()
    tasks.sell.run(liquidation_id=liquidation.pk)
    published = []
    monkeypatch.setattr("liquidation.publish.publish", published.append)
    tasks.publish.run(liquidation_id=liquidation.pk)
    tasks.recover.run()
    assert Liquidation.objects.get().status == "settled"
    assert TradeOrder.objects.count() == 1
    assert published == [liquidation.pk]


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
