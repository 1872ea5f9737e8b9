"""The last send is remembered outside the database, and shows books that went back in time."""

import threading
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connections, transaction
from structlog.testing import capture_logs

from coruscant import clock
from coruscant.restores import identity
from coruscant.restores.models import DatabaseIdentity
from liquidation import last_send, restored
from liquidation.models import OrderAnswer, TradeOrder
from liquidation.sell import Outcome, sell

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_cache")]


def accept_as(by):
    with transaction.atomic():
        identity.accept(by)


def test_books_that_have_what_was_sent_are_not_doubted(claimed, markets, intruder):
    assert last_send.missing() == ""
    sell(claimed("25").pk)
    assert len(intruder.keys("*last_counted_send*")) == 1
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
        last_send.remember(order.pk + 1, "another", 1, clock.now())
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
    last_send.remember(10**9, "lost", 1, clock.now())

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


def test_a_send_says_nothing_against_books_that_were_accepted_after_it_even_if_it_is_remembered_late():
    counted_at = clock.now()
    accept_as("Leia")
    last_send.remember(10**9, "lost", 1, counted_at)
    assert last_send.missing() == ""
    last_send.remember(10**9, "lost", 1, clock.now())
    assert last_send.missing().startswith("send 1 of order lost")


def test_nobody_has_accepted_the_loss_of_a_send_in_a_database_that_was_never_used():
    counted_at = clock.now()
    accept_as(identity.FIRST_USE)
    last_send.remember(10**9, "lost", 1, counted_at)
    assert last_send.missing().startswith("send 1 of order lost")


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
