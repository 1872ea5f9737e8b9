"""Everything the overview shows, read at once. Nothing of it reads the whole book."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest

from coruscant import clock, money
from coruscant.admin import overview
from coruscant.admin.overview import Card
from desk.book import selectors as books
from desk.book.selectors import Book
from desk.one_instant import one_instant
from desk.overview import charts, prices, sales
from desk.stress import price_at_risk
from desk.stress import selectors as stress
from loans import risk, terms
from loans.models import Loan
from loans.risk import Thresholds
from pricing import best_price
from pricing.markets import Market
from pricing.quotes import PricePoint
from pricing.snapshot import Curve

#: By what the address says, how far back prices are shown.
SPANS: Final = {"1h": timedelta(hours=1), "24h": timedelta(hours=24)}
_NEAREST = 8
_WITHIN: Final = Decimal("0.1")


def read(request: HttpRequest) -> dict[str, Any]:
    """The context of the page, for whoever may see loans."""
    now = clock.now()
    snapshot = best_price.snapshot()
    point = snapshot.price_at(now)
    curves = snapshot.curves(now, point)
    chosen = request.GET.get("span", "")
    span = chosen if chosen in SPANS else "1h"
    with one_instant():
        concerns = [card for card in _cards(request) if card.kind in ("danger", "warning")]
        shown = {"sales": sales.totals(), "newest_sales": sales.newest(), **_book(point, curves.values())}
    return {
        "now": now,
        "notices": overview.notices(request),
        "point": point,
        "best_market": _name(point.quotes[0].market) if point.quotes else "",
        "heard": max((quote.sent_at for quote in point.quotes), default=None),
        "apart": point.divergence(settings.PRICE_REFERENCE_QUANTITY),
        "markets": [_name(market) for market in Market],
        "span": span,
        "spans": list(SPANS),
        "chart": _price_chart(now - SPANS[span], SPANS[span]),
        "depths": [(depth, "nobody" if depth.best is None else _name(depth.best)) for depth in prices.depths(curves)],
        "concerns": concerns,
        "concerned": sum(int(card.figure) for card in concerns),
        **shown,
    }


def _name(market: Market) -> str:
    """The market without the planet it is on."""
    return market.label.partition(",")[0]


def _cards(request: HttpRequest) -> list[Card]:
    return [card(request) for card in overview.cards]


def _price_chart(since: Any, span: timedelta) -> charts.PriceChart | None:
    found = prices.series(since + span, span)
    claimed = [
        (group.at, group.price, f"{group.loans} claimed at {group.price:,.2f}, {group.at:%H:%M:%S}")
        for group in prices.claims(since)
    ]
    return charts.price_chart({_name(market): found.get(market, []) for market in Market}, claimed)


def _book(point: PricePoint, curves: Collection[Curve]) -> Mapping[str, Any]:
    """What follows from the newest snapshot of the book, at the best price now."""
    newest = books.newest()
    if newest is None or point.price is None:
        return {"book": newest}
    book = Book(newest)
    falls = stress.after_falls(book, stress.markets_of(point.price, curves), point.price)
    near = books.nearest(point.price, _NEAREST)
    limits = terms.newest().thresholds
    lines = [
        (share, limit)
        for share, limit in (
            ("activation", limits.activation_ltv), ("call", limits.margin_call_ltv), ("sale", limits.liquidation_ltv)
        )
    ]  # fmt: skip
    return {
        "book": newest,
        "book_ltv": risk.ltv(newest.outstanding_balance, newest.collateral, point.price),
        "falls": falls,
        "at_risk": next((row for row in falls if row.fall == _WITHIN), None),
        "columns": _columns(books.histogram(book.distribution, point.price), limits),
        "lines": lines,
        "price_at_risk": price_at_risk.latest(),
        "nearest": [_near(loan, point.price) for loan in near],
    }


def _columns(histogram: Any, limits: Thresholds) -> list[dict[str, Any]]:
    found = []
    for start, end, loans, balance in histogram:
        kind = next(
            (
                name
                for name, limit in (
                    ("sale", limits.liquidation_ltv), ("call", limits.margin_call_ltv),
                    ("watch", limits.activation_ltv),
                )
                if start >= limit
            ),
            "safe",
        )  # fmt: skip
        label = f"{start * 100:.0f} % and more" if end is None else f"{start * 100:.0f} to {end * 100:.0f} %"
        found.append({"label": label, "loans": loans, "balance": balance, "kind": kind})
    bars = charts.bars([(column["label"], column["loans"], column["kind"]) for column in found])
    return [column | {"bar": bar} for column, bar in zip(found, bars, strict=True)]


def _near(loan: Loan, price: Decimal) -> dict[str, Any]:
    """A loan near the line: its LTV, the price at which it is sold, and how far that is away."""
    limits = loan.terms.thresholds
    sold_at = risk.price_at(loan.outstanding_balance, loan.collateral, limits.liquidation_ltv)
    with money.exact():
        away = None if sold_at is None else (sold_at - price) / price
    return {
        "loan": loan, "ltv": risk.ltv(loan.outstanding_balance, loan.collateral, price), "limits": limits,
        "sold_at": sold_at, "away": away,
    }  # fmt: skip
