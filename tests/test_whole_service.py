"""The service as it runs: real workers, a real broker, real queues, two markets that fail."""

import json
import time
from decimal import Decimal

import pytest
import redis
import requests
from django.db.models import Q

from liquidation.models import Liquidation, LiquidationEvent, TradeOrder
from loans.models import CollateralPosting, Loan
from pricing.models import PriceQuote
from proofs.service.running_service import as_event, running_service

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]

LOANS = 12


def lend_many(service, count=LOANS):
    for number in range(count):
        service.lend(f"L{number}", amount=str(1000 + 100 * number), collateral=str(40 + 4 * number))
    service.eventually(lambda: service.loans("new") == 0, "all loans are active")


def lines_of(service, *names):
    """What some processes have logged; every line of theirs is JSON."""
    logs = [process.log_path.read_text() for name, process in service.processes.items() if name.startswith(names)]
    return [json.loads(line) for log in logs for line in log.splitlines()]


def the_price_event_is_in_every_line_of_a_sale(service, loan_id):
    """One id leads from the market's price by quote, claim, orders and settlement to what the branches heard."""
    sale = Liquidation.objects.get(loan__loan_id=loan_id)
    market, _, event = sale.correlation_id.partition(":")
    assert PriceQuote.objects.filter(Q(event_id=event) | Q(message_id=event), market=market).count() == 1
    lines = lines_of(service, "risk", "sales", "prices", "beat")
    assert any(line["event"] == "loans_claimed" and line["correlation_id"] == sale.correlation_id for line in lines)
    own = [line for line in lines if line.get("liquidation_id") == sale.pk and line["event"] != "event_not_sent"]
    assert {line["correlation_id"] for line in own} == {sale.correlation_id}
    answered = {line["order_request_id"] for line in own if line["event"] == "order_answered"}
    traded = {order["requestId"] for market in service.markets for order in market.orders()}
    filled = set(sale.orders.filter(status="filled").values_list("request_id", flat=True))
    assert filled
    assert filled <= answered & traded
    (settled,) = (line for line in own if line["event"] == "liquidation_settled")
    assert settled["event_id"] in {as_event(body)["eventId"] for body in service.branch.heard()}
    reasons = Liquidation.history.filter(id=sale.pk).values_list("history_change_reason", flat=True)
    assert all(sale.correlation_id in reason for reason in reasons)


def the_id_of_a_request_is_in_its_lines_rows_and_answer(service, loan_id):
    """The OTC's requestId and the id of its call, from the answer by the log to the history of the loan."""
    body = {"requestId": "followed", "loanId": loan_id, "borrowerId": "B", "amount": "1"}
    answer = requests.post(
        f"http://127.0.0.1:{service.port}/collateral-top-ups", json=body, headers={"X-Request-ID": "call"}, timeout=10
    )
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (202, "call")
    (posted,) = (line for line in lines_of(service, "web") if line.get("request_id") == "followed")
    assert (posted["event"], posted["http_request_id"], posted["loan_id"]) == ("collateral_posted", "call", loan_id)
    assert CollateralPosting.objects.get(request_id="followed").loan.loan_id == loan_id
    latest = Loan.history.filter(loan_id=loan_id).latest("history_id")
    assert latest.history_change_reason.endswith("followed")


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
        the_price_event_is_in_every_line_of_a_sale(service, "L0")
        the_id_of_a_request_is_in_its_lines_rows_and_answer(service, "safe")
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
        redis.Redis.from_url(stack.valkey.administrator_url()).flushall()
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
