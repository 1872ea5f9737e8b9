"""`/metrics` for Prometheus: figures from the database, read at each scrape, so that any web process can answer."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, OuterRef, QuerySet
from django.db.models.functions import Greatest
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from coruscant import clock, missing
from coruscant.controls import in_force
from coruscant.money import decimal_string
from coruscant.restores import identity
from coruscant.restores.models import Restore
from liquidation.models import PENDING_ORDER_STATUSES, ClaimFailure, Liquidation, LiquidationEvent, TradeOrder
from liquidation.reconciliation.models import ReconciliationDifference
from loans import terms
from loans.events import topic
from loans.events.models import LoanEvent
from pricing import best_price, guard, reading
from pricing.markets import Market
from pricing.models import Feed, PriceQuote

#: Name, help, labels, and rows of one value a label and the figure.
Figures = tuple[str, str, tuple[str, ...], Iterable[tuple[Any, ...]]]


def _figures() -> Iterator[Figures]:
    """Every query reads an index that holds only the rows it counts, or few rows."""
    now = clock.now()

    def age(rows: "QuerySet[Any]", column: str) -> list[tuple[float]]:
        oldest = rows.aggregate(oldest=Min(column))["oldest"]
        return [((now - oldest).total_seconds() if oldest else 0.0,)]

    is_open = Liquidation.objects.exclude(status="settled").order_by().values_list("status").annotate(Count("pk"))
    yield "coruscant_liquidations_open", "Liquidations not yet settled, by status", ("status",), is_open
    overdue = age(Liquidation.objects.filter(status="selling", held_by=None, due_at__lt=now), "due_at")
    yield "coruscant_liquidations_overdue_seconds", "Age of the oldest due time of a sale", (), overdue
    orders = TradeOrder.objects.filter(status__in=PENDING_ORDER_STATUSES).order_by()
    pending = orders.values_list("market", "status").annotate(Count("pk"))
    yield "coruscant_orders_pending", "Orders without a verdict, by market and status", ("market", "status"), pending
    unsent = LiquidationEvent.objects.filter(sent_at=None)
    yield "coruscant_events_unsent", "Events in the outbox", (), [(unsent.count(),)]
    yield "coruscant_events_unsent_seconds", "Age of the oldest unsent event", (), age(unsent, "created_at")
    # While no topic is named, nobody is to hear of them.
    named = topic.named()
    unheard = LoanEvent.objects.filter(sent_at=None) if named else LoanEvent.objects.none()
    yield "coruscant_loan_events_unsent", "Loan events in the outbox", (), [(unheard.count(),)]
    yield "coruscant_loan_events_unsent_seconds", "Age of the oldest unsent loan event", (), age(unheard, "created_at")
    yield (
        "coruscant_loan_events_topic_differs", "1 while LOAN_EVENTS_TOPIC differs from the topic of loan events", (),
        [(bool(topic.difference_from_setting(named)),)],
    )  # fmt: skip
    unevaluated = age(PriceQuote.objects.filter(evaluated_at=None), "received_at")
    meaning = "Age of the oldest quote that no evaluation has covered"
    yield "coruscant_quotes_unevaluated_seconds", meaning, (), unevaluated
    newest = PriceQuote.objects.filter(market=OuterRef("market")).order_by("-sent_at").values("sent_at")[:1]
    feeds = list(Feed.objects.annotate(received_to=Greatest("drained_to", newest)))
    behind = [(feed.market, (now - feed.received_to).total_seconds()) for feed in feeds if feed.received_to]
    meaning = "How far a feed is behind: the age of its newest quote, or less if its queue was found empty since"
    yield "coruscant_feed_drained_seconds", meaning, ("market",), behind
    outcomes = {"quote": "quotes", "duplicate": "duplicates", "skipped": "skipped", "rejected": "rejected"}
    received = [(feed.market, name, getattr(feed, column)) for feed in feeds for name, column in outcomes.items()]
    yield "coruscant_feed_messages", "Messages received, by market and outcome", ("market", "outcome"), received
    failures = [(ClaimFailure.objects.count(),)]
    yield "coruscant_claim_failures", "Breached loans that could not be claimed", (), failures
    held = [(Liquidation.objects.filter(held_by__isnull=False).count(),)]
    yield "coruscant_liquidations_held", "Liquidations that a restore holds", (), held
    claims_held = [(Restore.objects.filter(claims_released_at=None).exists(),)]
    yield "coruscant_claims_held", "1 while a restore holds claims", (), claims_held
    pulled = (
        in_force.now(now).values_list("kind", "market").annotate(withheld=Count("withheld_claims")).order_by("kind")
    )
    controls = [(kind, market, 1) for kind, market, _withheld in pulled]
    yield "coruscant_controls_in_force", "1 for each control that holds", ("kind", "market"), controls
    withheld = [(sum(spared for _kind, _market, spared in pulled),)]
    yield "coruscant_claims_withheld", "Loans that a pause of claims spares now", (), withheld
    differences = [(ReconciliationDifference.objects.filter(status="open").count(),)]
    meaning = "Open differences between the markets' statements and the books"
    yield "coruscant_reconciliation_differences_open", meaning, (), differences
    yield from _terms(now)
    replaced = [(bool(identity.objection()),)]
    yield "coruscant_database_replaced", "1 while the database is not the accepted one", (), replaced
    meaning = "1 for each queue and topic that is missing"
    yield "coruscant_messaging_missing", meaning, ("name",), [(name, 1) for name in missing.names()]
    yield from _prices()


def _terms(now: datetime) -> Iterator[Figures]:
    differ = [(bool(terms.difference_from_settings()),)]
    meaning = "1 while the *_LTV settings differ from the newest loan terms, which decide"
    yield "coruscant_terms_differ_from_settings", meaning, (), differ
    jumping = [(bool(terms.difference_from_guard(terms.in_use(), guard.in_force(reading.guards(), now))),)]
    meaning = "1 while a loan may be liquidated by a fall that the guard over prices takes for a jump"
    yield "coruscant_guard_does_not_fit_terms", meaning, (), jumping


def _prices() -> Iterator[Figures]:
    point = best_price.current()
    known = [] if point.price is None else [(decimal_string(point.price),)]
    yield "coruscant_best_price", "Best price, GC a unit; absent while there is none", (), known
    divergence = point.divergence(settings.PRICE_REFERENCE_QUANTITY)
    meaning = "How far the live prices are apart, as a share of the lowest; absent with fewer than two"
    yield "coruscant_price_divergence", meaning, (), [] if divergence is None else [(divergence,)]
    yield "coruscant_price_pending", "Jumps of prices that are not confirmed yet", (), [(len(point.pending),)]
    yield "coruscant_price_disputed", "1 while the markets are too far apart", (), [(point.disputed,)]
    suspect = [(market.value, any(quote.market == market for quote in point.suspect)) for market in Market]
    yield "coruscant_price_suspect", "1 while a market's price does not count", ("market",), suspect


class _Books(Collector):
    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, meaning, labels, rows in _figures():
            family = GaugeMetricFamily(name, meaning, labels=labels)
            for *values, figure in rows:
                family.add_metric([str(value) for value in values], float(figure))
            yield family


_registry = CollectorRegistry(auto_describe=False)
_registry.register(_Books())


def metrics_view(request: HttpRequest) -> HttpResponse:
    """The present figures in Prometheus' text format."""
    return HttpResponse(generate_latest(_registry), content_type=CONTENT_TYPE_LATEST)
