"""What operators ask: the invariants by command, the figures by scrape."""

import re
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from coruscant import clock
from coruscant.history.records import audited_models
from liquidation import tasks
from liquidation.models import ClaimFailure, Liquidation, TradeOrder
from liquidation.sell import sell
from pricing.models import Feed

AUDITED_TABLES = [model._meta.db_table for model in audited_models()]
pytestmark = pytest.mark.django_db


def test_the_promises_are_printed_one_by_one(claimed, markets, capsys):
    sell(claimed("25").pk)
    call_command("check_invariants")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 15
    assert all(line.startswith("ok  ") for line in lines)


def damage(statements):
    """Do what the database would refuse, or write into the history, if its triggers were on."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in AUDITED_TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statements)


def test_a_broken_promise_is_named_with_an_example_and_ends_with_one(claimed, capsys):
    liquidation = claimed("25")
    damage("UPDATE loans_loan SET collateral = collateral + 1")
    with pytest.raises(SystemExit) as ended:
        call_command("check_invariants")
    told = capsys.readouterr()
    assert ended.value.code == 1
    assert any(line.startswith("FAIL I3 ") and liquidation.loan.loan_id in line for line in told.out.splitlines())
    assert any(line.startswith("FAIL I5 loan") for line in told.out.splitlines())


@pytest.mark.parametrize(
    ("statements", "name"),
    [
        ("UPDATE liquidation_tradeorder SET units_traded = units_traded / 2", "I1"),
        ("UPDATE liquidation_liquidation SET proceeds = proceeds + 1", "I1"),
        ("UPDATE loans_loan SET status = 'liquidating'", "I2"),
        (
            "UPDATE loans_loan SET status = 'liquidating'; UPDATE liquidation_liquidation SET status = 'selling',"
            " settled_at = NULL, surplus = NULL, shortfall = NULL, collateral_left = NULL,"
            " due_at = now() - interval '2 minutes'",
            "I2b",
        ),
        ("UPDATE liquidation_liquidationevent SET body = replace(body, '\"1000\"', '\"1001\"')", "I4"),
        ("DELETE FROM liquidation_liquidationevent", "I4"),
        ("UPDATE liquidation_liquidationevent SET due_at = now() - interval '2 minutes'", "I4b"),
        ("DELETE FROM loans_acceptedrequest WHERE endpoint = 'collateral-top-ups'", "I7"),
        ("UPDATE pricing_feed SET received = received + 1, duplicates = duplicates + 1, quotes = quotes", None),
        ("UPDATE pricing_feed SET received = received + 1, quotes = quotes + 1", "I10"),
        ("UPDATE pricing_pricequote SET received_at = now() - interval '2 minutes', evaluated_at = NULL", "I10b"),
    ],
)
def test_every_promise_notices_when_it_is_broken(claimed, markets, capsys, statements, name):
    sell(claimed("25").pk)
    damage(statements)
    if name is None:
        call_command("check_invariants")
        return
    with pytest.raises(SystemExit):
        call_command("check_invariants")
    assert f"FAIL {name} " in capsys.readouterr().out


def test_metrics_tell_what_is_open_pending_and_late(client, claimed, markets, quote):
    liquidation = claimed("25")
    markets.then(500)
    sell(liquidation.pk)
    ClaimFailure.objects.create(loan=liquidation.loan, price=25, reason="x", failed_at=clock.now())
    text = client.get("/metrics").content.decode()
    assert 'coruscant_liquidations_open{status="selling"} 1.0' in text
    assert 'coruscant_orders_pending{market="mos_espa",status="unknown"} 1.0' in text
    assert "coruscant_claim_failures 1.0" in text
    assert 'coruscant_feed_messages{market="mos_espa",outcome="quote"} 1.0' in text
    assert "coruscant_best_price 25.0" in text


def test_a_feed_that_is_never_silent_is_not_behind(client, quote):
    quote("25", ago=40)
    Feed.objects.update(drained_to=clock.now() - timedelta(minutes=10))
    assert 39 < behind(client) < 60
    Feed.objects.update(drained_to=clock.now())
    assert behind(client) < 30


def behind(client):
    text = client.get("/metrics").content.decode()
    return float(re.search(r'coruscant_feed_drained_seconds\{market="mos_espa"\} (\S+)', text)[1])


def test_without_a_price_there_is_no_price_to_scrape(client, clean_cache):
    samples = [line for line in client.get("/metrics").content.decode().splitlines() if not line.startswith("#")]
    assert not [line for line in samples if line.startswith("coruscant_best_price")]


def test_each_task_makes_its_one_call(claimed, markets, bells, monkeypatch):
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
