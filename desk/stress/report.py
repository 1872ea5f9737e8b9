"""A stress test as JSON and as CSV: every figure in full, as a decimal string."""

from collections.abc import Iterator
from datetime import UTC
from decimal import Decimal
from typing import Any

from django.conf import settings

from coruscant.money import decimal_string
from desk.stress import selectors
from desk.stress.rules import Outcome
from desk.stress.selectors import StressTest

#: Of the rows of a CSV: how exact the row is.
_EXACT, _BUCKETS = "exact", "to 1 % of debt per unit"


def figures(found: Outcome) -> dict[str, Decimal | int | None]:
    """The figures of an outcome by the names that people read."""
    return {
        "price": found.price,
        "fall": found.fall,
        "loansCalled": found.called,
        "loansSold": found.sold,
        "owed": found.owed,
        "collateral": found.collateral,
        "unitsToSell": found.units,
        "priceReached": found.reached,
        "proceeds": found.proceeds,
        "shortfall": found.shortfall,
        "rounds": found.rounds,
        "secondsOfRounds": selectors.seconds_of_rounds(found.rounds),
    }


def as_json(found: StressTest) -> dict[str, Any]:
    """All of a stress test."""
    return {
        "snapshotTakenAt": f"{found.snapshot.taken_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "bestPrice": _written(found.markets.price),
        "curvesAreFresh": found.markets.fresh,
        "depthRecoverySeconds": settings.STRESS_DEPTH_RECOVERY_SECONDS,
        "asked": {**_all_written(found.asked), "secondsAtMeasuredRate": found.seconds},
        "curve": [_all_written(one) for one in found.curve],
        "worstBorrowers": [
            {
                "borrowerId": one.borrower_id,
                "loans": one.loans,
                "owed": decimal_string(one.owed),
                "shortfall": decimal_string(one.shortfall),
            }
            for one in found.borrowers
        ],
    }


def rows(found: StressTest) -> Iterator[list[str]]:
    """The lines of a CSV: a heading, what was asked, and the curve."""
    yield ["exactness", *figures(found.asked)]
    for exactness, one in ((_EXACT, found.asked), *((_BUCKETS, point) for point in found.curve)):
        yield [exactness, *("" if value is None else str(value) for value in _all_written(one).values())]


def _all_written(found: Outcome) -> dict[str, str | int | None]:
    return {name: _written(value) for name, value in figures(found).items()}


def _written(value: Decimal | int | None) -> str | int | None:
    return decimal_string(value) if isinstance(value, Decimal) else value
