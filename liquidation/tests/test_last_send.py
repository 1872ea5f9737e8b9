"""The last send is remembered outside the database, and shows books that went back in time."""

import threading
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connections
from structlog.testing import capture_logs

from coruscant import clock, failpoints
from coruscant.restores import identity
from coruscant.restores.models import DatabaseIdentity
from liquidation import last_send, restored
from liquidation.models import OrderAnswer, TradeOrder
from liquidation.sell import Outcome, sell

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_cache")]


def test_books_that_have_what_was_sent_are_not_doubted(claimed, markets):
    assert last_send.missing() == ""
    sell(claimed("25").pk)
    assert len(cache._cache.get_client().keys("*last_send*")) == 1
    assert last_send.missing() == ""


@pytest.mark.parametrize("lost", ["the send", "the order"])
def test_books_that_lack_what_was_sent_stop_everything(lost, claimed, markets):
    liquidation = claimed("25")
    markets.then(503)
    sell(liquidation.pk)
    order = TradeOrder.objects.get()
    if lost == "the send":
        TradeOrder.objects.update(sends=0)
    else:
        last_send.remember(order.pk + 1, "another", 1)
    identity.forget()
    liquidation.due_at = order.created_at
    liquidation.save()
    with capture_logs() as logged:
        assert sell(liquidation.pk) is Outcome.HELD
    assert len(markets.sent) == 1
    assert "database_replaced" in [line["event"] for line in logged]
    cache.clear()
    identity.forget()
    assert sell(liquidation.pk) is Outcome.HELD, "the doubt is kept in the database"


def test_what_was_lost_does_not_speak_against_books_that_are_accepted_while_a_worker_asks(monkeypatch):
    assert identity.accepted()
    last_send.remember(10**9, "lost", 1)

    def missing_until_somebody_accepts():
        found = last_send.missing()
        if found:
            accepting = threading.Thread(target=accept)
            accepting.start()
            accepting.join()
        return found

    def accept():
        try:
            restored.begin(since=clock.now() - timedelta(minutes=5), by="Leia", insist=True)
        finally:
            connections.close_all()

    monkeypatch.setattr(identity, "witnesses", [missing_until_somebody_accepts])
    identity.forget()
    assert identity.accepted()
    assert {(found.accepted_by, found.doubt) for found in DatabaseIdentity.objects.all()} >= {("Leia", "")}
    assert not DatabaseIdentity.objects.exclude(doubt="").exists()


def test_what_was_lost_is_forgotten_before_its_books_are_accepted(monkeypatch):
    last_send.remember(10**9, "lost", 1)
    forgotten = []
    monkeypatch.setattr(failpoints, "reach", lambda name: forgotten.append((name, last_send.missing() == "")))
    restored.begin(since=clock.now() - timedelta(minutes=5), by="Leia", insist=True)
    assert ("restore.written", True) in forgotten


def test_a_send_is_remembered_before_it_leaves(claimed, markets):
    def look(market, order):
        assert not OrderAnswer.objects.exists()
        TradeOrder.objects.update(sends=0)
        assert last_send.missing().startswith("send 1 of order")
        return markets.trade(market, order)

    markets.then(look)
    sell(claimed("25").pk)
    assert len(markets.sent) == 1


def test_without_redis_sales_go_on(claimed, markets, settings):
    liquidation = claimed("25")
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    assert sell(liquidation.pk) is Outcome.SETTLED
    assert last_send.missing() == ""
