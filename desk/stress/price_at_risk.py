"""Price at risk: how far the price may fall within an hour or a day, by what is recorded, and what that would do.

Computed by a task and kept; pages only read it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import structlog
from django.db import transaction

from coruscant import clock
from desk.book import selectors as books
from desk.models import BookSnapshot, PriceAtRisk
from desk.stress import selectors
from desk.stress.bootstrap import Recorded, at_least, falls, steps

log = structlog.get_logger(__name__)

PERCENTS: Final = (95, 99)
#: Draws of paths. Always the same ones, so that a figure changes with the prices and not with the draw.
PATHS: Final = 2000
SEED: Final = 20261126
#: There must be at least so many times the horizon of recorded prices.
_HORIZONS_NEEDED: Final = 3


@dataclass(frozen=True, slots=True)
class Horizon:
    """A horizon of so many hours, made of steps of `period`, drawn from the prices of the last `back`."""

    hours: int
    period: timedelta
    back: timedelta

    @property
    def steps(self) -> int:
        """Of how many periods a path is made."""
        return timedelta(hours=self.hours) // self.period


HORIZONS: Final = (
    Horizon(1, period=timedelta(minutes=1), back=timedelta(days=1)),
    Horizon(24, period=timedelta(hours=1), back=timedelta(days=365)),
)


def latest() -> list[PriceAtRisk]:
    """What was computed last, by horizon and share; empty before the first time."""
    return list(PriceAtRisk.objects.all())


def compute() -> None:
    """Compute price at risk for each horizon and share, in place of what there was.

    Does nothing while the best price is unknown, or before the first snapshot.
    """
    price = selectors.markets().price
    if price is None or books.newest() is None:
        return
    found = [row for horizon in HORIZONS for row in _rows(horizon, price)]
    with transaction.atomic():
        PriceAtRisk.objects.bulk_create(
            found,
            update_conflicts=True,
            unique_fields=["hours", "percent"],
            update_fields=[field.name for field in PriceAtRisk._meta.fields if field.name not in _KEY],
        )
    log.info("price_at_risk_computed", falls={str(row): str(row.fall) for row in found})


_KEY: Final = ("id", "hours", "percent")


def _rows(horizon: Horizon, price: Decimal) -> Iterator[PriceAtRisk]:
    now = clock.now()
    recorded = steps(_records(now - horizon.back), horizon.period)
    needed = _HORIZONS_NEEDED * horizon.steps
    about: dict[str, Any] = {
        "hours": horizon.hours,
        "computed_at": now,
        "history": len(recorded) * horizon.period,
        "history_needed": needed * horizon.period,
    }
    if len(recorded) < needed:
        yield from (PriceAtRisk(percent=percent, **about) for percent in PERCENTS)
        return
    drawn = falls(recorded, horizon=horizon.steps, paths=PATHS, seed=SEED)
    shares = [at_least(drawn, Decimal(percent) / 100) for percent in PERCENTS]
    for percent, effect in zip(PERCENTS, selectors.table(price, shares), strict=True):
        figures = {name: getattr(effect, name) for name in ("fall", "price", "called", "sold", "owed", "units")}
        yield PriceAtRisk(percent=percent, shortfall=effect.shortfall, **figures, **about)


def _records(since: Any) -> Iterator[Recorded]:
    rows = BookSnapshot.objects.filter(taken_at__gte=since).order_by("taken_at")
    for taken_at, price, lowest in rows.values_list("taken_at", "price", "lowest_price"):
        yield Recorded(taken_at, price, lowest)
