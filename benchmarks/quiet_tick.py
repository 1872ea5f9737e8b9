"""a: a tick that breaches no loan, at several sizes of the bank, against as many trivial statements."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import connection, reset_queries, transaction

from benchmarks import prices
from benchmarks.bank import open_bank
from benchmarks.figures import Curve, Figure, Measured, Plot
from benchmarks.scale import Scale
from benchmarks.stage import Stage
from coruscant.money import ZERO
from liquidation.evaluate import evaluate_loans
from loans import risk, terms
from loans.models import Loan
from pricing.markets import Market

_WARM_UP = 3
#: Times its yardstick, and times the same in the smallest bank, or with one version of the terms.
_MOST, _MOST_GROWTH = 6, 2


class _Executing:
    """Counts statements."""

    def __init__(self) -> None:
        self.statements = 0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.statements += 1
        return execute(*arguments)


def measure(stage: Stage, scale: Scale) -> Measured:
    """The time of an evaluation of one new quote, on the wall and in the database, at each size of the bank."""
    ticks, rounds, servers, walks, statements = [], [], [], [], 0
    for size in scale.banks:
        open_bank(stage, size)
        prices.record_past(prices.SAFE)
        tick, server, plain, statements = _quiet_ticks(scale.quiet_ticks)
        ticks.append(Figure(what=f"quiet tick, {size:,} active loans", runs=tick, unit="ms"))
        rounds.append(Figure(what=f"{statements} trivial statements and a commit", runs=plain, unit="ms"))
        servers.append(Figure(what=f"its time in the database, {size:,}", runs=server, unit="ms"))
        stage.say(f"{size:,} loans: {ticks[-1].value:.2f} ms a tick, {rounds[-1].value:.2f} ms its yardstick")
        if size == scale.banks[-1]:
            ten_terms = _with_ten_terms(stage, scale.quiet_ticks)
        walked = tuple(_walk() for _ in range(scale.runs))
        walks.append(Figure(what=f"all active loans through the ORM, {size:,}", runs=walked, unit="ms"))
    flat = Figure(what="a quiet tick in the largest bank", runs=ticks[-1].runs, unit="ms")
    return Measured(
        figures=(
            *(tick.against(plain).at_most(_MOST) for tick, plain in zip(ticks, rounds, strict=True)),
            *servers[:-1],
            servers[-1].against(servers[0]).at_most(_MOST_GROWTH),
            flat.against(ticks[0]).at_most(_MOST_GROWTH),
            ten_terms.against(ticks[-1]).at_most(_MOST_GROWTH),
            *(walk.against(tick) for walk, tick in zip(walks, ticks, strict=True)),
        ),
        notes=(f"A quiet tick is {statements} statements. The ORM walk evaluates every loan in Python.",),
        plots=(_plot(scale.banks, {"tick": ticks, "tick, in the database": servers, "ORM walk": walks}),),
    )


def _with_ten_terms(stage: Stage, count: int) -> Figure:
    """So many quiet ticks in the bank as it is, once its loans are spread over ten versions of the terms."""
    with stage.superuser() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "INSERT INTO loans_loanterms SELECT another.version, activation_ltv, margin_call_ltv,"
            " margin_call_clear_ltv, liquidation_ltv + another.version / 1000.0, now(), 'benchmark', 'benchmark'"
            " FROM loans_loanterms, generate_series(2, 10) AS another(version)"
        )
        connection.execute("UPDATE loans_loan SET terms_id = 1 + id % 10")
        connection.execute("VACUUM (FREEZE, ANALYZE) loans_loan")
    tick, *_others = _quiet_ticks(count)
    found = Figure(what="a quiet tick with ten terms in use", runs=tick, unit="ms")
    stage.say(f"ten terms: {found.value:.2f} ms a tick")
    return found


def _plot(banks: Sequence[int], found: Mapping[str, Sequence[Figure]]) -> Plot:
    sizes = tuple(map(float, banks))
    return Plot(
        name="quiet_tick",
        title="A tick that breaches no loan",
        x_axis="active loans",
        y_axis="milliseconds",
        logarithmic=True,
        curves=tuple(Curve(name, sizes, tuple(figure.value for figure in figures)) for name, figures in found.items()),
    )


def _quiet_ticks(count: int) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...], int]:
    """Milliseconds of so many ticks: on the wall, in the database, and of the yardstick; and a tick's statements.

    The yardstick is run after each tick: as many statements over the same connection, in one transaction.
    """
    ticks, servers, rounds, executing = [], [], [], _Executing()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS benchmark_mark AS SELECT 0 AS number")
    for number in range(_WARM_UP + count):
        prices.record(f"50.{number:04d}", list(Market)[number % len(Market)])
        reset_queries()
        before, executing = _server_milliseconds(), _Executing()
        with connection.execute_wrapper(executing):
            began = time.perf_counter()
            assert evaluate_loans()
            tick = time.perf_counter() - began
        server = _server_milliseconds() - before
        plain = _trivial_round(executing.statements)
        if number >= _WARM_UP:
            ticks.append(1000 * tick)
            servers.append(server)
            rounds.append(1000 * plain)
    return tuple(ticks), tuple(servers), tuple(rounds), executing.statements


def _trivial_round(statements: int) -> float:
    """Seconds of a transaction of so many trivial statements, one of which writes a row, as a tick does."""
    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        for _ in range(statements - 1):
            cursor.execute("SELECT 1")
        cursor.execute("UPDATE benchmark_mark SET number = number + 1")
    return time.perf_counter() - began


def _server_milliseconds() -> float:
    """What all statements so far have cost the server, except these queries."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(total_exec_time), 0)::float8 FROM pg_stat_statements"
            " WHERE query NOT LIKE '%%pg_stat_statements%%'"
            " AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
            [],
        )
        return float(cursor.fetchone()[0])


def _walk() -> float:
    """Milliseconds to evaluate every active loan in Python."""
    limits, price = terms.newest().thresholds, ZERO + 50
    began = time.perf_counter()
    breached = sum(
        risk.must_liquidate(loan.outstanding_balance, loan.collateral, price, limits)
        for loan in Loan.objects.filter(status="active").iterator()
    )
    assert breached == 0
    return 1000 * (time.perf_counter() - began)
