"""The service as it runs: real workers, a real broker, real queues, two markets that fail."""

import time
from decimal import Decimal

import pytest
import redis

from liquidation.models import Liquidation, LiquidationEvent, TradeOrder
from loans.models import Loan
from proofs.service.running_service import as_event, running_service

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

LOANS = 12


def lend_many(service, count=LOANS):
    for number in range(count):
        service.lend(f"L{number}", amount=str(1000 + 100 * number), collateral=str(40 + 4 * number))
    service.eventually(lambda: service.loans("new") == 0, "all loans are active")


def test_from_a_price_to_an_event_through_markets_that_fail_a_third_of_the_time(stack):
    with running_service(stack, fault_share=Decimal("0.3"), slow_seconds=(0.2, 5.0)) as service:
        service.lend("safe", amount="1000", collateral="400")
        lend_many(service)
        service.set_price("30")
        service.eventually(
            lambda: service.loans("liquidating") + service.loans("liquidated") == LOANS, "all are claimed"
        )
        service.set_price("60")  # whatever the price does afterwards
        service.eventually(service.everything_is_settled, "all are settled and published", seconds=120)
        service.books_and_markets_agree()
        service.every_event_was_heard()
        safe = service.get("/loans/safe").json()
        assert (safe["status"], safe["liquidation"]) == ("active", None)
        one = service.get("/loans/L0/").json()
        assert one["status"] == "liquidated"
        event = as_event(LiquidationEvent.objects.get(liquidation__loan__loan_id="L0").body)
        assert one["liquidation"]["collateralSold"] == event["collateralSold"]
        counters = [market.counters() for market in service.markets]
        assert not any(counter.get(kind) for counter in counters for kind in ("malformed", "conflict"))
        log = service.processes["sales-1"].log_path.read_text()
        assert '"event": "order_answered"' in log, "workers log as the settings say, without a flag"
        assert "raised unexpected" not in log


def test_workers_killed_during_a_crash_lose_nothing_and_double_nothing(stack):
    with running_service(stack, fault_share=Decimal("0.3"), latency_seconds=0.05) as service:
        lend_many(service)
        service.set_price("30")
        for name in ("sales-1", "prices-1", "sales-1", "beat-1", "sales-1"):
            time.sleep(1)
            service.kill(name)
        redis.Redis.from_url(stack.valkey.broker_url).flushall()
        service.set_price("55")
        service.eventually(service.everything_is_settled, "all are settled and published", seconds=150)
        assert Liquidation.objects.count() == LOANS
        service.books_and_markets_agree()
        service.every_event_was_heard()


def test_two_of_everything_do_nothing_twice(stack):
    with running_service(stack, copies=2, fault_share=Decimal("0.2")) as service:
        lend_many(service)
        service.set_price("30")
        service.eventually(lambda: service.loans("liquidated") == LOANS, "all are liquidated", seconds=120)
        service.eventually(service.everything_is_settled, "all events are sent")
        assert Liquidation.objects.count() == LOANS == Loan.objects.filter(status="liquidated").count()
        assert TradeOrder.objects.filter(status="filled").count() >= LOANS
        service.books_and_markets_agree()
        service.every_event_was_heard()
