"""a: a tick that hits nobody, at three sizes of the bank, beside a walk through all loans by the ORM."""

import time
from collections.abc import Callable
from typing import Any

from django.db import connection, reset_queries

from benchmarks import prices
from benchmarks.bank import open_bank
from benchmarks.figures import Curve, Figure, Measured, Plot, Reach, under
from benchmarks.scale import Scale
from benchmarks.stage import Stage
from coruscant.money import ZERO
from liquidation.evaluate import evaluate_loans
from loans import risk
from loans.models import Loan
from loans.thresholds import thresholds
from pricing.markets import Market

_WARM_UP = 3


class _Executing:
    """Adds up the time spent in `execute`, as the client sees it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.statements = 0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            self.seconds += time.perf_counter() - began
            self.statements += 1


def measure(stage: Stage, scale: Scale) -> Measured:
    """A sweep over one new quote, its time in the database and on the wall; then the plain way, on the same bank."""
    walls, servers, orms, statements = [], [], [], 0
    for size in scale.banks:
        open_bank(stage, size)
        prices.have_heard(prices.SAFE)
        wall, server, statements = _quiet_ticks(scale.quiet_ticks)
        walls.append(Figure(what=f"quiet tick, {size:,} active loans", runs=wall, unit="ms"))
        servers.append(Figure(what=f"its time in the database, {size:,}", runs=server, unit="ms"))
        stage.say(f"{size:,} loans: {walls[-1].value:.2f} ms a tick; now through the ORM")
        walked = tuple(_walk() for _ in range(scale.runs))
        orms.append(Figure(what="all active loans through the ORM", runs=walked, unit="ms"))
    growth = walls[-1].value / walls[0].value
    worst = max(wall.value for wall in walls)
    reaches = [
        *[None] * (len(walls) - 1),
        Reach(
            f"≤ 5 ms (worst {worst:.2f}), within 2× of {scale.banks[0]:,} ({growth:.2f}×)",
            worst <= 5 and growth <= 2,
        ),
    ]
    return Measured(
        figures=(
            *(
                Figure(what=wall.what, runs=wall.runs, unit="ms", yardstick=orm, reach=reach)
                for wall, orm, reach in zip(walls, orms, reaches, strict=True)
            ),
            *servers[:-1],
            Figure(
                what=servers[-1].what,
                runs=servers[-1].runs,
                unit="ms",
                reach=under(servers[-1].value / servers[0].value, 2, f"within 2× of {scale.banks[0]:,}"),
            ),
        ),
        notes=(f"A quiet tick is {statements} statements.",),
        plots=(
            Plot(
                name="quiet_tick",
                title="A tick that hits nobody",
                x_axis="active loans",
                y_axis="milliseconds",
                logarithmic=True,
                curves=tuple(
                    Curve(name, tuple(map(float, scale.banks)), tuple(figure.value for figure in figures))
                    for name, figures in (
                        ("sweep, wall", walls),
                        ("sweep, in the database", servers),
                        ("ORM walk", orms),
                    )
                ),
            ),
        ),
    )


def _quiet_ticks(count: int) -> tuple[tuple[float, ...], tuple[float, ...], int]:
    """Milliseconds of wall and of the server for each of so many ticks; and the statements of the last."""
    walls, servers, executing = [], [], _Executing()
    for number in range(_WARM_UP + count):
        prices.hear(f"50.{number:04d}", list(Market)[number % len(Market)])
        reset_queries()
        before, executing = _server_milliseconds(), _Executing()
        with connection.execute_wrapper(executing):
            began = time.perf_counter()
            assert evaluate_loans()
            wall = time.perf_counter() - began
        if number >= _WARM_UP:
            walls.append(1000 * wall)
            servers.append(_server_milliseconds() - before)
    return tuple(walls), tuple(servers), executing.statements


def _server_milliseconds() -> float:
    """What all statements so far have cost the server, this look excluded."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(total_exec_time), 0)::float8 FROM pg_stat_statements"
            " WHERE query NOT LIKE '%%pg_stat_statements%%'"
            " AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [],
        )
        return float(cursor.fetchone()[0])


def _walk() -> float:
    """Milliseconds to judge every active loan in Python."""
    limits, price = thresholds(), ZERO + 50
    began = time.perf_counter()
    breached = sum(
        risk.must_liquidate(loan.outstanding_balance, loan.collateral, price, limits)
        for loan in Loan.objects.filter(status="active").iterator()
    )
    assert breached == 0
    return 1000 * (time.perf_counter() - began)
