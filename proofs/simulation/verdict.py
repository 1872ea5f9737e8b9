"""The verdict on a schedule: invariants I1 to I10, and the database against the simulated world's own logs."""

import json
from collections import Counter
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from liquidation import invariants
from liquidation.models import Liquidation, LiquidationEvent, OrderStatus, TradeOrder
from loans.models import Loan, LoanStatus, MarginCall
from pricing.markets import Market
from pricing.models import Feed, PriceQuote, RejectedMessage
from proofs.simulation import controls, oracle
from proofs.simulation.oracle import Heard
from proofs.simulation.world import World

if TYPE_CHECKING:
    import psycopg

    from proofs.simulation.schedule import Schedule

_EVENT_KEYS = {
    "eventId",
    "eventType",
    "loanId",
    "collateralSold",
    "collateralSoldValue",
    "outstandingCollateral",
    "outstandingBalance",
}


def check_books(world: World, database: "psycopg.Connection[Any]", *, at_every_moment: bool) -> None:
    """Report every violation of I1 to I10; with `at_every_moment`, only of those that hold at every moment.

    The queries are prepared once a connection: planning them would be most of their cost on tables so small.
    """

    def fetch(query: str) -> Any:
        return database.execute(query, prepare=True).fetchone()

    for finding in invariants.check(at_every_moment=at_every_moment, fetch=fetch):
        if finding.violations:
            world.report(finding.invariant.name, f"{finding.invariant.promise}: {', '.join(finding.examples)}")


def check_promises(schedule: "Schedule") -> int:
    """Report every broken promise to the world; returns how many loans were claimed."""
    check_books(schedule.world, schedule.scheduler.monitor, at_every_moment=False)
    liquidations = list(Liquidation.objects.select_related("loan").order_by("pk"))
    _trades_are_booked(schedule)
    _events_are_delivered(schedule, liquidations)
    _requests_have_one_effect(schedule)
    heard = _messages_are_accounted_for(schedule)
    _claims_are_right(schedule, liquidations, heard)
    spared = controls.Spared(schedule.world)
    spared.check_claims(liquidations, heard)
    controls.check_orders(schedule.world, schedule.controls.known_at)
    _nothing_is_forgotten(schedule, heard, spared)
    return len(liquidations)


def _trades_are_booked(schedule: "Schedule") -> None:
    """I1: what the markets' own logs say was traded is what is booked, order by order."""
    orders = {order.request_id: order for order in TradeOrder.objects.all()}
    for market, simulated in schedule.edges.markets.items():
        for request_id, trade in simulated.trades.items():
            order = orders.get(request_id)
            booked = order and (order.market, order.units_traded, order.proceeds)
            if booked != (market.value, trade.units, trade.proceeds):
                schedule.world.report("I1", f"{market} traded {trade}, booked is {booked}")
    for order in orders.values():
        log = schedule.edges.markets[Market(order.market)].trades
        if order.status == OrderStatus.FILLED and order.request_id not in log:
            schedule.world.report("I1", f"{order.market} knows of no trade {order.request_id}")


def _events_are_delivered(schedule: "Schedule", liquidations: list[Liquidation]) -> None:
    """I4: one event a liquidation, delivered at least once, always the same bytes, exactly seven texts."""
    delivered = Counter(schedule.edges.topics.delivered)
    bodies = list(LiquidationEvent.objects.values_list("body", flat=True))
    if set(bodies) != set(delivered) or len(bodies) != len(liquidations):
        schedule.world.report(
            "I4", f"{len(liquidations)} liquidations, {len(bodies)} events, {len(delivered)} delivered"
        )
    for body in delivered:
        event = json.loads(body)
        if set(event) != _EVENT_KEYS or not all(isinstance(value, str) for value in event.values()):
            schedule.world.report("I4", f"the event is not as contracted: {body}")


def _requests_have_one_effect(schedule: "Schedule") -> None:
    """I7: however often a request is sent, there is one answer; and each is answered in the end."""
    for request in schedule.clients.requests:
        if len(set(request.bodies)) > 1:
            schedule.world.report("I7", f"{request} was answered in {len(set(request.bodies))} ways")
        if request.contradicted:
            schedule.world.report("I7", f"{request} was accepted and refused: {request.refusal or 'reused'}")
        if not request.answered:
            schedule.world.report("I7", f"{request} was never answered")


def _messages_are_accounted_for(schedule: "Schedule") -> list[Heard]:
    """I10: every message is a quote, a duplicate, skipped or kept as unreadable; returns the prices as received.

    Each market's in the order in which they were recorded, which need not be that in which they were sent.
    """
    quotes = {quote.message_id: quote for quote in PriceQuote.objects.all()}
    events = {(quote.market, quote.event_id) for quote in quotes.values() if quote.event_id}
    rejected = set(RejectedMessage.objects.values_list("message_id", flat=True))
    first_sent: dict[tuple[Market, str], datetime] = {}
    for one in schedule.publisher.published:
        event = one.market, one.event_id or one.message.message_id
        first_sent[event] = min(one.message.sent_at, first_sent.get(event, one.message.sent_at))
    heard: list[tuple[int, Heard]] = []
    for one in schedule.publisher.published:
        key, quote = one.message.message_id, quotes.get(one.message.message_id)
        if not one.readable:
            accounted = key in rejected
        elif one.price is None:
            accounted = quote is None
        else:
            accounted = quote is not None or (one.market.value, one.event_id) in events
        if not accounted:
            schedule.world.report("I10", f"{key} of {one.market} is lost")
        if quote is None or one.price is None:
            continue
        late = quote.received_at - quote.sent_at >= oracle.MAX_AGE
        sent_at = first_sent[one.market, one.event_id or key]
        if quote.sent_at > sent_at or quote.too_late != late:
            schedule.world.report("I10", f"{key} was sent at {sent_at}, recorded as {quote.sent_at}, {late}")
        reference = one.event_id or key
        heard.append((quote.pk, Heard(one.market, one.price, quote.sent_at, one.own_time, reference, quote.too_late)))
    return [one for _number, one in sorted(heard, key=itemgetter(0))]


def _claims_are_right(schedule: "Schedule", liquidations: list[Liquidation], heard: list[Heard]) -> None:
    """A claim is at a price that the service can have seen at that instant, and that breaches the loan.

    What it can have seen are the first prices of each market that it recorded, however many.
    """
    for claimed in liquidations:
        value = claimed.collateral_at_claim * claimed.price
        if claimed.balance_at_claim < Decimal("0.8") * value:
            schedule.world.report("oracle", f"{claimed.loan} was claimed at {claimed.price} without a breach")
        by_market = [[one for one in heard if one.market == market] for market in Market]
        known = (
            oracle.possible_prices([*by_market[0][:first], *by_market[1][:second]], claimed.price_at)
            for first in range(len(by_market[0]) + 1)
            for second in range(len(by_market[1]) + 1)
        )
        if not any(claimed.price in prices for prices in known):
            schedule.world.report(
                "oracle", f"{claimed.loan} was claimed at {claimed.price}, which no one had published"
            )


def _nothing_is_forgotten(schedule: "Schedule", heard: list[Heard], spared: controls.Spared) -> None:
    """The converse: whoever must have been claimed, activated, warned or cleared, is; or is listed as spared."""
    drained_to = {feed.market: feed.drained_to for feed in Feed.objects.all() if feed.drained_to}
    spans = oracle.spans(heard, drained_to, schedule.world.clock())
    # The last evaluation was begun at `known_drained_to` and came to look at some instant since.
    lasts = [span.price for span in spans if span.end > schedule.known_drained_to] or [None]
    spans = [span for span in spans if span.start < schedule.known_drained_to]
    open_margin_calls = set(MarginCall.objects.filter(closed_at__isnull=True).values_list("loan_id", flat=True))
    for loan in Loan.objects.filter(status__in=[LoanStatus.NEW, LoanStatus.ACTIVE]).order_by("pk"):
        owed, units = loan.outstanding_balance, loan.collateral
        if loan.status == LoanStatus.NEW:
            if all(last is not None and units and owed <= Decimal("0.5") * units * last for last in lasts):
                schedule.world.report("oracle", f"{loan} is covered at {lasts[0]} and not active")
            continue
        for span in spans:
            if (
                span.price is None
                or not span.applies
                or loan.prices_apply_from is None
                or span.end <= loan.prices_apply_from
            ):
                continue
            if owed >= Decimal("0.8") * units * span.price and not spared.spares(loan, span):
                when = f"{span.start.time()} to {span.end.time()}"
                since = f"prices apply to it from {loan.prices_apply_from.time()}"
                schedule.world.report("oracle", f"{loan} was not claimed at {span.price} from {when}; {since}")
                break
        warned = loan.pk in open_margin_calls
        if all(last and owed >= Decimal("0.7") * units * last and not warned for last in lasts):
            schedule.world.report("oracle", f"{loan} has no margin call at {lasts[0]}")
        if all(last and owed < Decimal("0.6") * units * last and warned for last in lasts):
            schedule.world.report("oracle", f"{loan} has a margin call at {lasts[0]}")
