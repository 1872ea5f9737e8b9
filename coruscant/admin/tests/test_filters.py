"""The filters that a person asks for, and that an option narrows a list."""

from datetime import timedelta
from decimal import Decimal

import pytest

from coruscant import clock, history
from coruscant.admin.tests.bank import make_bank, make_liquidation, make_loan, make_order, make_representative
from coruscant.admin.tests.test_base import page
from liquidation.models import LiquidationEvent, TradeOrder
from loans.events.models import LoanEvent
from loans.models import MarginCall
from pricing.models import PriceQuote

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


@pytest.fixture
def bank():
    return make_bank()


@pytest.fixture
def listed(client):
    """The rows of a list, filtered."""
    client.force_login(make_representative())

    def rows(row, **query):
        return set(client.get(page(row, "changelist"), query).context["cl"].result_list)

    return rows


@pytest.fixture
def new_liquidation(bank):
    with history.cause("test", correlation_id="new"):
        sale = make_liquidation(make_loan("L-big", status="liquidating"))
        type(sale).objects.filter(pk=sale.pk).update(
            claimed_at=clock.now() - timedelta(seconds=90), balance_at_claim=Decimal("10000.01")
        )
        order = make_order(sale, "unknown")
        TradeOrder.objects.filter(pk=order.pk).update(created_at=clock.now() - timedelta(seconds=90))
    return sale


def test_liquidations_unsettled_waiting_old_and_big(bank, new_liquidation, listed):
    assert listed(bank.waiting, stage="unsettled") == {bank.waiting, new_liquidation}
    assert listed(bank.waiting, attention="yes") == {bank.waiting}
    assert listed(bank.waiting, longer_than="2min") == {bank.waiting}
    assert listed(bank.waiting, balance_at_claim_over="10000") == {new_liquidation}
    assert listed(bank.waiting, balance_at_claim_over="10000", status__exact="settled") == set()


def test_orders_without_a_verdict_unresolved_old_and_by_market(bank, new_liquidation, listed):
    unknown = TradeOrder.objects.get(liquidation=new_liquidation)
    assert listed(unknown, verdict="none") == {bank.unresolved, unknown}
    assert listed(unknown, status__exact="unresolved") == {bank.unresolved}
    assert listed(unknown, longer_than="2min") == {bank.unresolved}
    assert listed(unknown, market__exact="black_spire_outpost") == set()


def test_margin_calls_that_are_open_and_for_how_long(bank, listed):
    call = MarginCall.objects.get()
    assert listed(call, open="yes") == listed(call, longer_than="1h") == {call}
    assert listed(call, open="no") == set()
    with history.cause("test", correlation_id="x"):
        MarginCall.objects.update(opened_at=clock.now() - timedelta(minutes=50))
    assert listed(call, longer_than="1h") == set()


def test_events_that_are_not_sent_and_for_how_long(bank, listed):
    told, event = LoanEvent.objects.get(), LiquidationEvent.objects.get()
    assert listed(told, sending="waiting") == listed(told, longer_than="2min") == {told}
    assert listed(event, sending="waiting") == listed(event, longer_than="2min") == set()
    assert listed(event, sending="sent") == {event}


def test_quotes_that_came_late_or_jumped_in_the_last_day(bank, listed):
    quote = PriceQuote.objects.get()
    assert listed(quote, use="waiting") == {quote}
    assert listed(quote, use="late") == set()
    PriceQuote.objects.update(too_late=True, evaluated_at=clock.now())
    assert listed(quote, use="late") == {quote}
    PriceQuote.objects.update(sent_at=clock.now() - timedelta(hours=25))
    assert listed(quote, use="late") == set()


def test_an_option_that_is_none_narrows_nothing(bank, listed):
    assert len(listed(bank.waiting, stage="nonsense")) == 2
