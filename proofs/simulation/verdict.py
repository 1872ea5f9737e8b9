"""The verdict on a schedule: all invariants, and the database against the simulated world's own logs."""

import json
import uuid
from collections import Counter
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Sum
from django.db.models.functions import Coalesce

from coruscant import ids
from coruscant.fields import AmountField
from coruscant.money import exact
from coruscant.restores.models import Restore
from liquidation import invariants
from liquidation.models import Liquidation, LiquidationEvent, OrderAnswer, OrderStatus, TradeOrder
from liquidation.sell import Outcome
from loans.events.models import LoanEvent
from loans.models import AcceptedRequest, Loan
from pricing.markets import Market
from pricing.models import PriceQuote, RejectedMessage
from proofs.simulation import controls, loans_by_price, oracle
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
    """Report every violation of an invariant; with `at_every_moment`, only of those that hold at every moment.

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
    _nothing_is_sold_twice(schedule)
    _answers_are_kept(schedule)
    _events_are_delivered(schedule, liquidations)
    _loan_events_are_delivered(schedule)
    _requests_have_one_effect(schedule)
    loans_by_price.check(schedule, liquidations, _messages_are_accounted_for(schedule))
    controls.check_orders(schedule.world, schedule.controls.known_at)
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


def _nothing_is_sold_twice(schedule: "Schedule") -> None:
    """By the markets' own logs alone: no loan's trades are more than the units that were posted for it.

    Which loan an order belongs to is computed from its id, so it does not matter what the books know of it.
    """
    trades = {
        (market, request_id): trade.units
        for market, simulated in schedule.edges.markets.items()
        for request_id, trade in simulated.trades.items()
    }
    if not trades:
        return
    numbers = range(1, TradeOrder.objects.count() + len(trades) + 2)
    posted = Loan.objects.annotate(units=Coalesce(Sum("postings__amount"), Decimal(0), output_field=AmountField()))
    for loan in posted.order_by("pk"):
        identified = {
            (market, ids.order_id(
                settings.INSTALLATION_NAMESPACE, application=loan.request_id, loan_id=loan.loan_id, market=market,
                number=number,
            ))
            for market in Market for number in numbers
        }  # fmt: skip
        with exact():
            sold = sum((trades.pop(order) for order in identified & set(trades)), Decimal(0))
        if sold > loan.units:
            schedule.world.report("I1", f"{sold} units of {loan} were sold, of {loan.units}")
    for market, request_id in trades:
        schedule.world.report("I1", f"{market} has traded {request_id}, which is of no loan")


def _answers_are_kept(schedule: "Schedule") -> None:
    """I8: what a worker has heard is kept, and marked if another had taken the sale; unless it died before.

    An order that a restore has lost has no answers either.
    """
    kept = {
        (request_id, send): stale
        for request_id, send, stale in OrderAnswer.objects.values_list("order__request_id", "send", "stale")
    }
    known = {request_id for request_id, _send in kept} | set(TradeOrder.objects.values_list("request_id", flat=True))
    for booked in schedule.edges.booked:
        if booked.request_id not in known or booked.outcome is Outcome.HELD:
            continue
        stale = kept.get((booked.request_id, booked.send))
        if stale is None or (booked.stale and not stale):
            schedule.world.report("I8", f"{booked} is {'not kept' if stale is None else 'not marked as stale'}")


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


def _loan_events_are_delivered(schedule: "Schedule") -> None:
    """I15: each loan event is delivered at least once, always the same bytes, under the id that anybody can compute.

    That there is one a transition is a query of `check_books`. What was delivered may be forgotten by a restore; what
    is written anew has another id.
    """
    delivered = set(schedule.edges.topics.loan_events)
    events = dict(LoanEvent.objects.values_list("body", "event_id"))
    if events.keys() - delivered or (delivered - events.keys() and not Restore.objects.exists()):
        schedule.world.report("I15", f"{len(events)} loan events, {len(delivered)} different ones delivered")
    for body, event_id in events.items():
        said = body[1:-1].partition(", ")[2]
        if event_id != uuid.uuid5(settings.INSTALLATION_NAMESPACE, json.dumps(["loan event", said])):
            schedule.world.report("I15", f"{body} has an id of its own")
    for event_id, times in Counter(json.loads(body)["eventId"] for body in delivered).items():
        if times > 1:
            schedule.world.report("I15", f"{times} different loan events were delivered as {event_id}")


def _requests_have_one_effect(schedule: "Schedule") -> None:
    """I7: however often a request is sent, there is one answer; and each is answered in the end, and in the books.

    After a restore, what the books had lost was answered anew.
    """
    stored = dict(AcceptedRequest.objects.filter(client="").values_list("request_id", "response_body"))
    for request in schedule.clients.requests:
        if len(set(request.bodies)) > 1:
            schedule.world.report("I7", f"{request} was answered in {len(set(request.bodies))} ways")
        if request.contradicted:
            schedule.world.report("I7", f"{request} was accepted and refused: {request.refusal or 'reused'}")
        if not request.answered:
            schedule.world.report("I7", f"{request} was never answered")
        if request.bodies and stored.get(request.request_id) not in request.bodies:
            schedule.world.report("I7", f"{request} was accepted, and is not in the books")


def _messages_are_accounted_for(schedule: "Schedule") -> list[Heard]:
    """I10: every message is a quote, a duplicate, skipped or kept as unreadable; returns the prices as received.

    Not what was deleted from the queue before a restore that has lost it: nobody can bring that back.
    Each market's in the order in which they were recorded, which need not be that in which they were sent.
    """
    quotes = {quote.message_id: quote for quote in PriceQuote.objects.all()}
    lost = schedule.disaster.lost_messages
    events = {(quote.market, quote.event_id) for quote in quotes.values() if quote.event_id}
    rejected = set(RejectedMessage.objects.values_list("message_id", flat=True))
    first_sent: dict[tuple[Market, str], datetime] = {}
    for one in schedule.publisher.published:
        if one.message.message_id in lost:
            continue
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
        if not accounted and key not in lost:
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
