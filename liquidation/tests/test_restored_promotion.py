"""A standby is promoted in the middle of a sale: a real one, made by pg_basebackup, asynchronous or synchronous."""

import shutil
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connections

from coruscant import clock, failpoints
from coruscant.restores import identity
from coruscant.restores.models import DatabaseIdentity, Restore
from liquidation import invariants, restored
from liquidation.evaluate import evaluate_loans
from liquidation.models import Liquidation, LiquidationStatus, TradeOrder
from liquidation.sell import Outcome, sell
from local.stack.postgres import PostgresServer
from local.stack.standby import Standby
from pricing import best_price
from pricing.markets import Market

pytestmark = [
    pytest.mark.proof,
    pytest.mark.timeout(300),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_cache", "enqueued"),
]


def connect(server):
    """Let the service use this server."""
    connections.close_all()
    connections["default"].settings_dict.update(NAME="coruscant", HOST=server.host, PORT=server.port)


@pytest.fixture
def cluster(tmp_path, db):
    """A migrated primary that the service uses, and a standby of it that is streaming."""
    logs = tmp_path / "logs"
    logs.mkdir()
    settings = connections["default"].settings_dict
    before = {key: settings[key] for key in ("NAME", "HOST", "PORT")}
    primary = PostgresServer(tmp_path / "primary", logs)
    standby = Standby(primary, tmp_path / "standby", logs)
    try:
        primary.start()
        connect(primary)
        call_command("migrate", verbosity=0)
        standby.start()
        yield primary, standby
    finally:
        failpoints.arm(None)
        connections.close_all()
        settings.update(before)
        identity.forget()
        for server in (primary, standby):
            server.kill()
            shutil.rmtree(server.folder.resolve(), ignore_errors=True)


@pytest.mark.parametrize(
    ("setting", "loses"),
    [("asynchronous", True), ("asynchronous", False), ("synchronous", False), ("synchronous", True)],
)
def test_a_promotion_in_the_middle_of_a_sale(setting, loses, cluster, loan, quote, markets, settings):
    """Asynchronous: held, whether it has lost anything or not. Synchronous: nothing lost, nothing held.

    If the setting promises more than the standby keeps, the last send that Redis remembers gives it away.
    """
    settings.DATABASE_FAILOVER = setting
    primary, standby = cluster
    if not loses:  # whatever the setting says
        standby.make_synchronous()
    loan(amount="5000", collateral="250")
    quote("25")
    evaluate_loans()
    (pk,) = Liquidation.objects.values_list("pk", flat=True)
    if loses:
        _wait_until_replayed(primary, standby)
        standby.stop()

    def crash(name):
        if name == "sell.answered":
            failpoints.arm(None)
            connections.close_all()
            primary.kill()
            standby.start()
            standby.promote()
            connect(standby)

    failpoints.arm(crash)
    outcome = sell(pk)
    held = setting == "asynchronous" or loses
    assert outcome is (Outcome.HELD if loses else Outcome.BUSY if held else Outcome.SETTLED)
    best_price.refresh()
    Liquidation.objects.update(leased_until=None)
    TradeOrder.objects.update(due_at=clock.now())
    calls = len(markets.sent)
    assert sell(pk) is (Outcome.HELD if held else Outcome.SETTLED)
    assert len(markets.sent) == calls
    assert TradeOrder.objects.exists() is not loses
    if held:
        assert not identity.accepted()
        assert restored.begin(since=clock.now() - timedelta(minutes=1), by="Leia").held_sales.count() == 1
        return
    assert Liquidation.objects.get().status == LiquidationStatus.SETTLED
    assert sum(units for units, _proceeds in markets.traded.values()) == 200
    assert DatabaseIdentity.objects.first().timeline == 2
    assert not Restore.objects.exists()
    assert not [finding for finding in invariants.check() if finding.violations]
    assert {market for market, _order in markets.sent} <= set(Market)


def _wait_until_replayed(primary, standby):
    ((wanted,),) = primary.ask("SELECT pg_current_wal_lsn()")
    for _ in range(200):
        ((there,),) = standby.ask(f"SELECT pg_last_wal_replay_lsn() >= '{wanted}'::pg_lsn")
        if there:
            return
        standby.ask("SELECT pg_sleep(0.05)")
    raise AssertionError("the standby does not follow")
