"""An order is answered for once, however many people do so at the same moment."""

import json
import threading
from decimal import Decimal

import pytest
from django.db import connections

from coruscant.approvals.ask import ask
from coruscant.approvals.decide import NotExecuted, agree
from coruscant.approvals.tests.support import log_in, representative
from liquidation import invariants, resolution
from liquidation.models import TradeOrder
from liquidation.resolution import OrderNotUnresolved
from liquidation.sell import Outcome, sell
from liquidation.two_people import NOT_TRADED, TRADED
from loans.tests.threads import at_once
from pricing.markets import Market

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("enqueued")]


def test_two_approvals_and_a_person_alone_at_once_one_of_them_wins(claimed, markets, time_passes):
    liquidation = claimed("31.25")
    markets.price[Market.MOS_ESPA] = Decimal("31.25")
    markets.then(500, json.dumps({"success": False, "reason": "duplicate request"}))
    sell(liquidation.pk)
    time_passes(seconds=5)
    assert sell(liquidation.pk) is Outcome.WAITING
    order = TradeOrder.objects.get()
    ahsoka, mace, yoda = (representative(name) for name in ("ahsoka", "mace", "yoda"))
    figures = {"order_id": order.pk, "units": Decimal(1), "proceeds": Decimal(94)}
    traded = ask(TRADED, figures, why="by telephone", asked_by=ahsoka)
    not_traded = ask(NOT_TRADED, {"order_id": order.pk}, why="by letter", asked_by=ahsoka)
    results = at_once(
        lambda: agree(traded.pk, request=log_in(mace)),
        lambda: agree(not_traded.pk, request=log_in(yoda)),
        lambda: resolution.resolve_as_not_traded(order_id=order.pk, actor_name="anakin", actor_id=7),
    )
    lost = [result for result in results if isinstance(result, NotExecuted | OrderNotUnresolved)]
    assert len(lost) == 2, results
    order.refresh_from_db()
    assert order.status == ("refused" if isinstance(results[0], NotExecuted) else "filled")
    assert [entry.status for entry in order.history.order_by("history_id")].count(order.status) == 1
    assert not [finding for finding in invariants.check() if finding.violations]


@pytest.mark.parametrize("answer", [TRADED, NOT_TRADED])
def test_a_worker_in_mid_send_decides_nothing_when_two_people_have_answered(
    answer, claimed, markets, time_passes, settings
):
    settings.ORDER_SENDS_BEFORE_ATTENTION = 2
    liquidation = claimed("31.25")
    markets.price[Market.MOS_ESPA] = Decimal("31.25")
    markets.then(500)
    assert sell(liquidation.pk) is Outcome.LATER
    time_passes(seconds=20)
    sent, answered_for = threading.Event(), threading.Event()

    def answers_late(market, order):
        sent.set()
        assert answered_for.wait(30)
        return markets.trade(market, order)

    markets.then(answers_late)
    outcomes = []

    def work():
        outcomes.append(sell(liquidation.pk))
        connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        assert sent.wait(30)
        order = TradeOrder.objects.get()
        figures = {"units": Decimal(16), "proceeds": Decimal(500)} if answer == TRADED else {}
        approval = ask(answer, {"order_id": order.pk, **figures}, why="by telephone", asked_by=representative("ahsoka"))
        agree(approval.pk, request=log_in(representative("mace")))
    finally:
        answered_for.set()
        worker.join()
    assert outcomes == [Outcome.BUSY]
    order.refresh_from_db()
    assert (order.status, order.units_traded) == (("filled", 16) if answer == TRADED else ("refused", None))
    assert order.answers.get(send=2).stale
    assert not [finding for finding in invariants.check() if finding.violations]
