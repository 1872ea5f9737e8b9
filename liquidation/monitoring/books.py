"""How things stand, by the database: what is open, pending, late, held and in doubt."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet

from coruscant import clock, missing
from coruscant.controls import in_force
from coruscant.money import decimal_string
from coruscant.restores import identity
from coruscant.restores.models import Restore
from liquidation.models import (
    PENDING_ORDER_STATUSES,
    UNSETTLED_STATUSES,
    ClaimFailure,
    Liquidation,
    OrderStatus,
    TradeOrder,
)
from liquidation.monitoring import invariant_checks, waiting
from liquidation.monitoring.figures import Figures
from liquidation.reconciliation.models import ReconciliationDifference
from loans import terms
from loans.events import topic
from pricing import best_price, guard, reading
from pricing.markets import Market
from pricing.models import PriceQuote


def parts() -> dict[str, Callable[[], Iterator[Figures]]]:
    """What the database alone is asked. Every query reads an index that holds only the rows it counts, or few rows."""
    asked = (_sales, _outboxes, _feeds, _holds, _terms)
    now = clock.now()
    return {part.__name__.strip("_"): partial(part, now) for part in asked}


def remembered() -> Iterator[Figures]:
    """What is read from the cache, or from the database where that has nothing. Call it outside of transactions."""
    meaning = "1 for each queue and topic that is missing"
    yield Figures("coruscant_messaging_missing", meaning, ("name",), [(name, 1) for name in missing.names()])
    yield from _prices()
    yield from _invariants()


def _age(now: datetime, rows: "QuerySet[Any]", column: str) -> list[tuple[float]]:
    """Seconds since the earliest instant of a column; 0 without rows."""
    oldest = waiting.since(rows, column)
    return [((now - oldest).total_seconds() if oldest else 0.0,)]


def _sales(now: datetime) -> Iterator[Figures]:
    unsettled = Liquidation.objects.filter(status__in=UNSETTLED_STATUSES).order_by()
    is_open = unsettled.values_list("status").annotate(Count("pk"))
    yield Figures("coruscant_liquidations_open", "Liquidations not yet settled, by status", ("status",), is_open)
    meaning = "Time since the claim of the oldest liquidation that is not settled, those held by a restore left out"
    yield Figures("coruscant_liquidations_unsettled_seconds", meaning, (), _age(now, waiting.sales(), "claimed_at"))
    overdue = _age(now, waiting.sales().filter(status="selling", due_at__lt=now), "due_at")
    yield Figures("coruscant_liquidations_overdue_seconds", "Age of the oldest due time of a sale", (), overdue)
    orders = TradeOrder.objects.filter(status__in=PENDING_ORDER_STATUSES).order_by()
    pending = orders.values_list("market", "status").annotate(Count("pk"))
    meaning = "Orders without a verdict, by market and status"
    yield Figures("coruscant_orders_pending", meaning, ("market", "status"), pending)
    meaning = "Time since the oldest order was made whose answers do not prove enough"
    unknown_since = _age(now, orders.filter(status=OrderStatus.UNKNOWN), "created_at")
    yield Figures("coruscant_orders_unknown_seconds", meaning, (), unknown_since)
    failures = [(ClaimFailure.objects.count(),)]
    yield Figures("coruscant_claim_failures", "Breached loans that could not be claimed", (), failures)


def _outboxes(now: datetime) -> Iterator[Figures]:
    unsent = waiting.events()
    yield Figures("coruscant_events_unsent", "Events in the outbox", (), [(unsent.count(),)])
    yield Figures(
        "coruscant_events_unsent_seconds", "Age of the oldest unsent event", (), _age(now, unsent, "created_at")
    )
    named = topic.named()
    unheard = topic.unsent(named)
    yield Figures("coruscant_loan_events_unsent", "Loan events in the outbox", (), [(unheard.count(),)])
    meaning = "Age of the oldest unsent loan event"
    yield Figures("coruscant_loan_events_unsent_seconds", meaning, (), _age(now, unheard, "created_at"))
    yield Figures(
        "coruscant_loan_events_topic_differs", "1 while LOAN_EVENTS_TOPIC differs from the topic of loan events", (),
        [(bool(topic.difference_from_setting(named)),)],
    )  # fmt: skip


def _feeds(now: datetime) -> Iterator[Figures]:
    unevaluated = _age(now, PriceQuote.objects.filter(evaluated_at=None), "received_at")
    meaning = "Age of the oldest quote that no evaluation has covered"
    yield Figures("coruscant_quotes_unevaluated_seconds", meaning, (), unevaluated)
    feeds = list(waiting.feeds())
    ages = [(feed.market, (now - feed.newest).total_seconds()) for feed in feeds if feed.newest]
    yield Figures("coruscant_price_age_seconds", "Age of each market's newest quote", ("market",), ages)
    behind = [(feed.market, (now - feed.received_to).total_seconds()) for feed in feeds if feed.received_to]
    meaning = "How far a feed is behind: the age of its newest quote, or less if its queue was found empty since"
    yield Figures("coruscant_feed_drained_seconds", meaning, ("market",), behind)
    outcomes = {"quote": "quotes", "duplicate": "duplicates", "skipped": "skipped", "rejected": "rejected"}
    received = [(feed.market, name, getattr(feed, column)) for feed in feeds for name, column in outcomes.items()]
    meaning = "Messages received, by market and outcome"
    yield Figures("coruscant_feed_messages", meaning, ("market", "outcome"), received)


def _holds(now: datetime) -> Iterator[Figures]:
    held = [(Liquidation.objects.filter(held_by__isnull=False).count(),)]
    yield Figures("coruscant_liquidations_held", "Liquidations that a restore holds", (), held)
    claims_held = [(Restore.objects.filter(claims_released_at=None).exists(),)]
    yield Figures("coruscant_claims_held", "1 while a restore holds claims", (), claims_held)
    replaced = [(bool(identity.objection()),)]
    yield Figures("coruscant_database_replaced", "1 while the database is not the accepted one", (), replaced)
    pulled = (
        in_force.now(now).values_list("kind", "market").annotate(withheld=Count("withheld_claims")).order_by("kind")
    )
    controls = [(kind, market, 1) for kind, market, _withheld in pulled]
    yield Figures("coruscant_controls_in_force", "1 for each control that holds", ("kind", "market"), controls)
    withheld = [(sum(spared for _kind, _market, spared in pulled),)]
    yield Figures("coruscant_claims_withheld", "Loans that a pause of claims spares now", (), withheld)
    differences = [(ReconciliationDifference.objects.filter(status="open").count(),)]
    meaning = "Open differences between the markets' statements and the books"
    yield Figures("coruscant_reconciliation_differences_open", meaning, (), differences)


def _terms(now: datetime) -> Iterator[Figures]:
    differ = [(bool(terms.difference_from_settings()),)]
    meaning = "1 while the *_LTV settings differ from the newest loan terms, which decide"
    yield Figures("coruscant_terms_differ_from_settings", meaning, (), differ)
    jumping = [(bool(terms.difference_from_guard(terms.in_use(), guard.in_force(reading.guards(), now))),)]
    meaning = "1 while a loan may be liquidated by a fall that the guard over prices takes for a jump"
    yield Figures("coruscant_guard_does_not_fit_terms", meaning, (), jumping)


def _prices() -> Iterator[Figures]:
    point = best_price.current()
    known = [] if point.price is None else [(decimal_string(point.price),)]
    yield Figures("coruscant_best_price", "Best price, GC a unit; absent while there is none", (), known)
    divergence = point.divergence(settings.PRICE_REFERENCE_QUANTITY)
    meaning = "How far the live prices are apart, as a share of the lowest; absent with fewer than two"
    yield Figures("coruscant_price_divergence", meaning, (), [] if divergence is None else [(divergence,)])
    yield Figures("coruscant_price_pending", "Jumps of prices that are not confirmed yet", (), [(len(point.pending),)])
    yield Figures("coruscant_price_disputed", "1 while the markets are too far apart", (), [(point.disputed,)])
    suspect = [(market.value, any(quote.market == market for quote in point.suspect)) for market in Market]
    yield Figures("coruscant_price_suspect", "1 while a market's price does not count", ("market",), suspect)


def _invariants() -> Iterator[Figures]:
    last = invariant_checks.last()
    found = [(one.name, one.violations) for one in last if one.violations is not None]
    meaning = "Rows that broke an invariant at its last check"
    yield Figures("coruscant_invariant_violations", meaning, ("invariant",), found)
    meaning = "Invariants that have had no result for twice as long as they should"
    yield Figures("coruscant_invariants_unchecked", meaning, (), [(invariant_checks.unchecked(last),)])
