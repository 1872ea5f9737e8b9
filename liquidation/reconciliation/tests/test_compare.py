"""What differs between a statement and the books is found, kept open, and closed when it is gone."""

from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from coruscant import clock, history, ids
from coruscant.admin.figures import instant
from coruscant.restores import holds, identity
from coruscant.restores.identity import DatabaseReplaced
from coruscant.restores.models import DatabaseIdentity
from liquidation import invariants
from liquidation.models import Liquidation, OrderStatus, TradeOrder
from liquidation.reconciliation.compare import PeriodDoesNotFit, StatementOfAnotherMarket, reconcile
from liquidation.reconciliation.conftest import HEADER, lines_of
from liquidation.reconciliation.models import Reconciliation, ReconciliationDifference, StatementTrade
from liquidation.sell import sell
from pricing.markets import Market

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_cache", "enqueued")]


@pytest.fixture(autouse=True)
def _clocks_agree(monkeypatch):
    monkeypatch.setattr(holds, "CLOCKS_DIFFER", timedelta(0))


def differences():
    return [(row.kind, row.status, row.request_id) for row in ReconciliationDifference.objects.order_by("pk")]


def books_are_right():
    broken = [finding for finding in invariants.check() if finding.violations]
    assert not broken, broken


def next_id(loan, number=1, market=Market.MOS_ESPA, settings=None):
    from django.conf import settings

    return ids.order_id(
        settings.INSTALLATION_NAMESPACE,
        application=loan.request_id,
        loan_id=loan.loan_id,
        market=market,
        number=number,
    )


def line(request_id, units="8", proceeds="200", at=None):
    return f"{request_id},{units},{proceeds},{(at or clock.now()).isoformat()}\n"


def test_a_statement_that_agrees_leaves_nothing_open(claimed, markets, compare):
    sell(claimed("25").pk)
    found = compare()
    assert (found.trades, found.units, found.proceeds, found.compared_by) == (1, 40, 1000, "Leia")
    assert not differences()
    books_are_right()


def test_parts_of_a_trade_are_compared_together(claimed, markets, compare):
    sell(claimed("25").pk)
    order, at = TradeOrder.objects.get(), clock.now()
    parts = [line(order.request_id, "15", "375", at), line(order.request_id, "25", "625", at)]
    compare(lines=parts)
    assert not differences()


def test_an_unknown_order_is_found_and_so_is_its_loan(loan, markets, compare):
    others, ours = [loan() for _ in range(3)], loan()
    compare(lines=[line(next_id(ours, 2)), line("of-no-loan")])
    found = {row.request_id: row for row in ReconciliationDifference.objects.all()}
    assert (found[next_id(ours, 2)].loan, found[next_id(ours, 2)].number) == (ours, 2)
    assert (found["of-no-loan"].loan, found["of-no-loan"].kind) == (None, "unknown")
    assert all(row.loan not in others for row in found.values())
    books_are_right()


def test_a_loan_that_is_opened_later_is_found_when_the_statement_comes_again(loan, markets, compare):
    """Its application was lost as well, and the OTC service has repeated it."""
    ours = loan()
    request_id = next_id(ours)
    with history.cause("test", correlation_id="lost"):
        type(ours).objects.filter(pk=ours.pk).update(request_id="another")
    now, lines = clock.now(), [line(request_id, at=clock.now())]
    arguments = {"market": Market.MOS_ESPA, "content": (HEADER + lines[0]).encode(), "by": "Leia"}
    reconcile(**arguments, start=now - timedelta(hours=1), end=clock.now())
    assert ReconciliationDifference.objects.get().loan is None
    with history.cause("test", correlation_id="repeated"):
        type(ours).objects.filter(pk=ours.pk).update(request_id=ours.request_id)
    reconcile(**arguments, start=now - timedelta(hours=1), end=clock.now())
    assert ReconciliationDifference.objects.get().loan == ours


def test_a_trade_of_an_order_that_is_not_booked_is_open_until_it_is(claimed, markets, compare):
    liquidation = claimed("25")
    markets.then("trade, then lose the answer")
    sell(liquidation.pk)
    compare()
    ((kind, status, request_id),) = differences()
    assert (kind, status, request_id) == ("unbooked", "open", TradeOrder.objects.get().request_id)
    books_are_right()
    TradeOrder.objects.update(due_at=clock.now())
    Liquidation.objects.update(due_at=clock.now())
    sell(liquidation.pk)
    compare()
    assert differences() == [("unbooked", "gone", request_id)]
    books_are_right()


@pytest.mark.parametrize(("units", "proceeds"), [("40", "999.999"), ("39", "1000"), ("80", "2000")])
def test_figures_that_differ_are_open(units, proceeds, claimed, markets, compare):
    sell(claimed("25").pk)
    compare(lines=[line(TradeOrder.objects.get().request_id, units, proceeds)])
    assert [kind for kind, *_ in differences()] == ["figures"]
    difference = ReconciliationDifference.objects.get()
    assert (difference.units, difference.proceeds) == (Decimal(units), Decimal(proceeds))
    books_are_right()


def test_a_market_that_traded_one_request_twice_is_noticed(claimed, markets, compare):
    sell(claimed("25").pk)
    twice = [line(TradeOrder.objects.get().request_id, "40", "1000") for _ in range(2)]
    compare(lines=twice)
    assert (ReconciliationDifference.objects.get().units, differences()[0][0]) == (80, "figures")


def test_a_trade_that_no_statement_shows_is_open_until_one_does(claimed, markets, compare):
    sell(claimed("25").pk)
    compare(lines=[])
    request_id = TradeOrder.objects.get().request_id
    assert differences() == [("missing", "open", request_id)]
    compare()
    assert differences() == [("missing", "gone", request_id)]
    books_are_right()


def test_a_trade_is_missing_only_if_statements_cover_all_the_time_of_its_order(claimed, markets, compare):
    liquidation = claimed("25")
    before = clock.now()
    sell(liquidation.pk)
    after = clock.now()
    compare(lines=[], end=before)
    compare(lines=[], market=Market.BLACK_SPIRE_OUTPOST)
    assert not differences()
    order = TradeOrder.objects.get()
    middle = order.created_at + (order.answered_at - order.created_at) / 2
    arguments = {"market": Market.MOS_ESPA, "by": "Leia"}
    reconcile(**arguments, content=HEADER.encode(), start=middle, end=after)
    assert not differences(), "it may have been traded before that"
    reconcile(**arguments, content=HEADER.encode(), start=before, end=middle)
    assert [kind for kind, *_ in differences()] == ["missing"], "neither statement shows it"


def test_near_the_ends_of_a_period_the_clocks_may_differ(claimed, markets, compare, monkeypatch):
    monkeypatch.setattr(holds, "CLOCKS_DIFFER", timedelta(minutes=1))
    sell(claimed("25").pk)
    compare(lines=[])
    assert not differences()


def test_the_same_file_twice_changes_nothing(loan, claimed, markets, compare):
    sell(claimed("25").pk)
    content = (HEADER + "".join([*lines_of(markets, Market.MOS_ESPA), line(next_id(loan()))])).encode()
    period = {"start": clock.now() - timedelta(hours=1), "end": clock.now()}
    first = reconcile(market=Market.MOS_ESPA, content=content, by="Leia", **period)
    before = differences()
    assert reconcile(market=Market.MOS_ESPA, content=content, by="Leia", **period) == first
    assert differences() == before
    assert len(before) == 1
    assert StatementTrade.objects.count() == 2
    assert ReconciliationDifference.history.count() == 2, "found, and its loan found"


def test_overlapping_statements_keep_each_trade_once(claimed, markets, compare):
    sell(claimed("25").pk)
    (whole,) = lines_of(markets, Market.MOS_ESPA)
    compare(lines=[whole])
    compare(lines=[whole], start=clock.now() - timedelta(hours=2))
    assert (Reconciliation.objects.count(), StatementTrade.objects.count()) == (2, 1)
    assert not differences()


def test_a_period_must_be_known_be_over_and_hold_all_trades(markets):
    now = clock.now()
    empty, one = HEADER.encode(), (HEADER + line("r", at=now)).encode()
    for content, period in [
        (empty, {}),
        (empty, {"start": now}),
        (empty, {"start": now, "end": now - timedelta(seconds=1)}),
        (empty, {"start": now, "end": now + timedelta(hours=1)}),
        (one, {"end": now - timedelta(seconds=1)}),
        (one, {"start": now + timedelta(microseconds=1)}),
    ]:
        with pytest.raises(PeriodDoesNotFit):
            reconcile(market=Market.MOS_ESPA, content=content, by="Leia", **period)
    found = reconcile(market=Market.MOS_ESPA, content=one, by="Leia")
    assert (found.period_from, found.period_to) == (now, now)
    assert Reconciliation.objects.count() == 1


def test_a_statement_of_another_market_is_refused_as_a_whole(claimed, markets, compare):
    """Or each of its trades would be a difference, to be explained by two people."""
    sell(claimed("25").pk)
    with pytest.raises(StatementOfAnotherMarket, match="Mos Espa"):
        compare(Market.BLACK_SPIRE_OUTPOST, [line("r-1"), *lines_of(markets, Market.MOS_ESPA)])
    assert not StatementTrade.objects.exists()


def test_nothing_is_compared_with_books_that_were_replaced(markets, compare):
    identity.accept("before")
    DatabaseIdentity.objects.update(timeline=0)
    with pytest.raises(DatabaseReplaced):
        compare(lines=[])
    assert not Reconciliation.objects.exists()


def test_the_command_prints_what_is_open_and_exits_with_1(loan, claimed, markets, tmp_path):
    sell(claimed("25").pk)
    ours, out = loan(), StringIO()
    file = tmp_path / "statement.csv"
    file.write_text(HEADER + "".join([*lines_of(markets, Market.MOS_ESPA), line(next_id(ours))]))
    with pytest.raises(SystemExit):
        call_command("reconcile", str(file), market="mos_espa", stdout=out, stderr=StringIO())
    assert "2 trades, 48 units for 1200 GC" in out.getvalue()
    assert f"loan {ours.loan_id}, 8 units for 200 GC. The books do not know the order." in out.getvalue()
    file.write_text("")
    with pytest.raises(CommandError, match="empty"):
        call_command("reconcile", str(file), market="mos_espa")
    with pytest.raises(CommandError, match="No such file"):
        call_command("reconcile", str(tmp_path / "none"), market="mos_espa")


def test_the_command_names_the_times_beside_a_statement_that_none_covers(tmp_path):
    file, out, now = tmp_path / "statement.csv", StringIO(), clock.now()
    file.write_text(HEADER)
    for hours in (9, 5, 7):
        at = now - timedelta(hours=hours)
        call_command("reconcile", str(file), market="mos_espa", start=at, end=at + timedelta(hours=1), stdout=out)
    told = [line for line in out.getvalue().splitlines() if line.startswith("No statement")]
    ends = [(8, 5), (8, 7), (6, 5)]
    assert told == [
        f"No statement covers the time from {instant(now - timedelta(hours=start))} until"
        f" {instant(now - timedelta(hours=end))}."
        for start, end in ends
    ]


def test_an_order_that_was_refused_and_traded_nevertheless_is_open(claimed, markets, compare):
    """A market that says no three times, in plain words, after it has traded: only its statement shows it."""
    markets.then("refuse", "refuse", "refuse")
    sell(claimed("25").pk)
    refused = TradeOrder.objects.get(status=OrderStatus.REFUSED)
    compare(lines=[*lines_of(markets, refused.market), line(refused.request_id, "40", "1000")])
    assert ("unbooked", "open", refused.request_id) in differences()
    books_are_right()
