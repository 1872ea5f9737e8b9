"""The backlog after a crash of prices: workers take what is due, and give back what a slow market holds up."""

import pytest

from liquidation import backlog, publish, recover
from liquidation.claim import claim_loans
from liquidation.conftest import point_now
from liquidation.models import Liquidation, LiquidationStatus
from liquidation.sell import sell

pytestmark = pytest.mark.django_db


def test_a_worker_takes_what_is_due_and_not_enqueued(loan, quote, enqueued, markets, monkeypatch):
    quote("25")
    pks = claim_loans([loan(collateral=str(n)).pk for n in range(40, 45)], point_now())
    recover.mark_enqueued(pks[:1])
    published = []
    monkeypatch.setattr(publish, "publish_all", published.extend)
    backlog.enqueue_if_any_due()
    assert enqueued == [(("liquidation.sell_backlog",), {})]
    assert backlog.sell_backlog() == 4
    assert Liquidation.objects.filter(status=LiquidationStatus.SETTLED).count() == 4
    assert sorted(published) == pks[1:]
    assert backlog.sell_backlog() == 0
    backlog.enqueue_if_any_due()
    assert len(enqueued) == 1, "nothing is left to enqueue"


def test_a_slow_market_keeps_nobody_waiting_who_was_taken_with_it(loan, quote, enqueued, markets, monkeypatch):
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
