"""Stress tests of the newest snapshot of the book, with the markets as they are now. Nothing is locked or written."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from typing import ClassVar, Final

from django.conf import settings

from coruscant import clock, money
from coruscant.errors import DomainError
from coruscant.money import ZERO
from desk.book import selectors as books
from desk.book.selectors import Book
from desk.models import BookSnapshot
from desk.one_instant import one_instant
from desk.stress import borrowers, rules
from desk.stress.borrowers import Borrower
from desk.stress.depth import depth_at
from desk.stress.rules import AtOrAbove, Outcome
from liquidation.models import OrderStatus, TradeOrder
from pricing import best_price
from pricing.quotes import Level
from pricing.snapshot import Curve

#: The worst borrowers are looked for among so many loans of most debt per unit, and so many are shown.
RISKIEST: Final = 200
MOST_BORROWERS: Final = 20
#: The falls of the table on the overview, and those of the curve.
TABLE: Final = (Decimal("0.1"), Decimal("0.2"), Decimal("0.3"), Decimal("0.5"))
CURVE: Final = tuple(Decimal(percent) / 100 for percent in range(61))
#: The rate of fills is that of the last so many orders, if they were answered in the last day.
_RECENT_ORDERS: Final = 1000
_RECENT: Final = timedelta(days=1)
_MINUTE: Final = 60


class NoSnapshot(DomainError):
    """No snapshot of the book has been taken yet."""

    code = "no-snapshot"
    title = "The book has not been read yet"
    status: ClassVar[int] = 409


class PriceUnknown(DomainError):
    """A fall was asked for, but no quote holds that it could begin at."""

    code = "price-unknown"
    title = "The best price is unknown"
    status: ClassVar[int] = 409


@dataclass(frozen=True, slots=True)
class Markets:
    """The best price (None: unknown) and the sell curves behind it; the last known ones if they are not `fresh`."""

    price: Decimal | None
    curves: tuple[tuple[Level, ...], ...]
    fresh: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StressTest:
    """What was asked, the curve of falls, and the worst borrowers.

    `asked` is exact as of the snapshot. The curve counts whole buckets, so loans less than 1 % below a line, too; it is
    empty while the price is unknown. `seconds` is how long selling takes at the measured rate of fills; None: not
    known.
    """

    snapshot: BookSnapshot
    markets: Markets
    asked: Outcome
    seconds: int | None
    curve: Sequence[Outcome]
    borrowers: Sequence[Borrower]


def stress_test(*, price: Decimal | None = None, fall: Decimal | None = None) -> StressTest:
    """The book at a price, or after a fall of the best price by a share of it: one of both is given.

    Raises NoSnapshot, PriceUnknown.
    """
    with one_instant():
        return _stress_test(price, fall)


def _stress_test(price: Decimal | None, fall: Decimal | None) -> StressTest:
    snapshot = books.newest()
    if snapshot is None:
        raise NoSnapshot("No snapshot of the book has been taken yet. The workers take one every 30 seconds.")
    book, found = Book(snapshot), markets()
    if price is None:
        if found.price is None or fall is None:
            raise PriceUnknown("The best price is unknown, so nothing can fall from it. Ask for a price.")
        price = rules.price_after(found.price, fall)
    elif found.price is not None:
        fall = rules.fall_to(price, found.price)
    asked = _outcome(book, found, book.at_or_above, price, fall)
    worst = borrowers.worst(books.riskiest(RISKIEST), price=price, reached=asked.reached, most=MOST_BORROWERS)
    return StressTest(
        snapshot=snapshot,
        markets=found,
        asked=asked,
        seconds=seconds_to_sell(asked.units, fill_rate()),
        curve=curve(book, found),
        borrowers=worst,
    )


def table(price: Decimal, falls: Iterable[Decimal] = TABLE) -> list[Outcome]:
    """What the newest snapshot would be after each of these falls of `price`; empty before the first snapshot."""
    with one_instant():
        snapshot = books.newest()
        return [] if snapshot is None else after_falls(Book(snapshot), markets(), price, falls)


def after_falls(book: Book, found: Markets, price: Decimal, falls: Iterable[Decimal] = TABLE) -> list[Outcome]:
    """What a book would be after each of these falls of `price`. Call it in the `one_instant` of the snapshot."""
    prices = [(fall, rules.price_after(price, fall)) for fall in falls]
    lines = [rules.lines(book.terms, after) for _fall, after in prices]
    book.at_or_above_each([line for both in lines for line in both])
    return [_outcome(book, found, book.at_or_above, after, fall) for fall, after in prices]


def curve(book: Book, found: Markets) -> list[Outcome]:
    """The outcomes of the falls of CURVE, from the snapshot's buckets alone; none while the price is unknown."""
    if found.price is None:
        return []
    whole = book.distribution.whole_buckets
    return [_outcome(book, found, whole, rules.price_after(found.price, fall), fall) for fall in CURVE]


def markets() -> Markets:
    """Both markets as they are now."""
    snapshot, now = best_price.snapshot(), clock.now()
    point = snapshot.price_at(now)
    return markets_of(point.price, snapshot.curves(now, point).values())


def markets_of(price: Decimal | None, curves: Collection[Curve]) -> Markets:
    """The best price and the curves that are known with it."""
    fresh = tuple(curve.levels for curve in curves if curve.fresh)
    return Markets(price, fresh or tuple(curve.levels for curve in curves), bool(fresh))


def fill_rate() -> Decimal | None:
    """Units sold a second, over those minutes of the last day in which something was sold; None if nothing was.

    Looks at the last 1000 orders at most.
    """
    since = clock.now() - _RECENT
    recent = TradeOrder.objects.order_by("-pk").values_list("status", "answered_at", "units_traded")[:_RECENT_ORDERS]
    fills = [
        (answered_at.replace(second=0, microsecond=0), units)
        for status, answered_at, units in recent
        if status == OrderStatus.FILLED and answered_at and units and answered_at >= since
    ]
    if not fills:
        return None
    with money.exact():
        return sum((units for _minute, units in fills), ZERO) / (_MINUTE * len({minute for minute, _units in fills}))


def seconds_to_sell(units: Decimal, rate: Decimal | None) -> int | None:
    """How long selling so many units takes at so many a second, rounded up; None if the rate is not known."""
    if not rate:
        return None
    with money.exact():
        return int((units / rate).to_integral_value(rounding=ROUND_CEILING))


def seconds_of_rounds(rounds: int) -> int:
    """How long it takes at least until the depth was taken so often: it is there again STRESS_DEPTH_RECOVERY_SECONDS
    after it was taken.
    """
    return max(0, rounds - 1) * settings.STRESS_DEPTH_RECOVERY_SECONDS


def _outcome(book: Book, found: Markets, at_or_above: AtOrAbove, price: Decimal, fall: Decimal | None) -> Outcome:
    depth = depth_at(found.curves, price, settings.PRICE_REFERENCE_QUANTITY)
    return rules.outcome(at_or_above, book.terms, price, depth, fall=fall)
