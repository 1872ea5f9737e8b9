"""The recorded quotes that a loan's evidence names, with their whole curves.

Quotes are removed after QUOTE_RETENTION_DAYS, so they are no part of what the evidence's hash is of.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db.models import Q

from desk.evidence.values import picked, plain
from pricing.markets import Market
from pricing.models import PriceQuote


def on_record(evidence: dict[str, Any]) -> dict[str, Any]:
    """The quotes that the evidence names and that are still recorded, and the names of those that are not.

    `referenceQuantity` is the present setting. One query.
    """
    names = set(_named(evidence))
    found = sorted(_read(names), key=lambda quote: (quote.sent_at, quote.pk))
    recorded = {f"{quote.market}:{_reference(quote)}": _shown(quote) for quote in found}
    quotes = {
        "referenceQuantity": settings.PRICE_REFERENCE_QUANTITY,
        "recorded": list(recorded.values()),
        "notRecorded": sorted(names - recorded.keys()),
    }
    shown: dict[str, Any] = plain(quotes)
    return shown


def _named(evidence: dict[str, Any]) -> Iterator[str]:
    """Names of quotes, `market:reference`: behind the claim, and what a cause says set a change off."""
    sale = evidence["liquidation"]
    quotes = sale["claim"]["quotes"] if sale else []
    causes = [step["cause"]["correlationId"] for step in evidence["timeline"]]
    confirming = [quote["confirmedBy"] for quote in quotes]
    for name in (*(f"{quote['market']}:{quote['reference']}" for quote in quotes), *confirming, *causes):
        market, colon, reference = name.partition(":")
        # A claim that two people made of a market's statement names that in place of a quote.
        is_statement = reference.startswith("statement ")
        if colon and reference and market in list(Market) and not is_statement:
            yield name


def _read(names: set[str]) -> list[PriceQuote]:
    references: dict[str, list[str]] = defaultdict(list)
    for name in names:
        market, _colon, reference = name.partition(":")
        references[market].append(reference)
    named = Q(pk__in=[])
    for market, of_it in references.items():
        by_message = Q(event_id__isnull=True, message_id__in=of_it)
        named |= Q(market=market) & (Q(event_id__in=of_it) | by_message)
    return list(PriceQuote.objects.filter(named)) if names else []


def _reference(quote: PriceQuote) -> str:
    return quote.message_id if quote.event_id is None else quote.event_id


def _shown(quote: PriceQuote) -> dict[str, Any]:
    columns = picked(quote, "market", "market_time", "sent_at", "received_at", "too_late", "sell", "buy")
    return {"reference": _reference(quote), **columns}
