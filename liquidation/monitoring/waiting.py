"""What waits, and for what: the rows behind the figures that metrics and the health of the business both have."""

from datetime import datetime
from typing import Any

from django.db.models import Min, OuterRef, QuerySet
from django.db.models.functions import Greatest

from liquidation.models import UNSETTLED_STATUSES, Liquidation, LiquidationEvent
from pricing.models import Feed, PriceQuote


def sales() -> QuerySet[Liquidation]:
    """Liquidations that are not settled. Those that a restore holds wait for a person, and are left out."""
    return Liquidation.objects.filter(status__in=UNSETTLED_STATUSES, held_by=None)


def events() -> QuerySet[LiquidationEvent]:
    """Those in the outbox. Those of loans: `loans.events.topic.unsent`."""
    return LiquidationEvent.objects.filter(sent_at=None)


def feeds() -> Any:
    """Each with the instant of its `newest` quote, and `received_to`: that, or later if its queue was found empty."""
    newest = PriceQuote.objects.filter(market=OuterRef("market")).order_by("-sent_at").values("sent_at")[:1]
    return Feed.objects.annotate(newest=newest, received_to=Greatest("drained_to", newest))


def since(rows: "QuerySet[Any]", column: str) -> datetime | None:
    """The earliest instant of a column; None without rows."""
    return rows.aggregate(earliest=Min(column))["earliest"]  # type: ignore[no-any-return]
