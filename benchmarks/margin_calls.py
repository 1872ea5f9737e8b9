"""j: one tick calls a tenth of the bank: how fast the margin calls and their loan events are written, and then sent."""

import time
from datetime import datetime

from django.db import connection

from benchmarks import prices
from benchmarks.bank import at_the_edge, open_bank
from benchmarks.figures import Figure, Measured
from benchmarks.scale import Scale
from benchmarks.stage import Stage, eventually
from coruscant import clock
from liquidation.publish import publish_loan_events

#: At this price all loans near the edge reach the margin call LTV, and none the liquidation LTV.
_CALLED = "33.5"
_LONGEST_SECONDS, _MOST_SECONDS = 120, 10


def measure(stage: Stage, scale: Scale) -> Measured:
    """Seconds until a real risk worker has written them, against a bare insert of as many rows; events sent a second.

    From the instant before the price fell to the commit of the last one, by PostgreSQL's commit timestamps.
    """
    called = at_the_edge(scale.largest)
    written, bare, sent = list[float](), list[float](), list[float]()
    for run in range(1, scale.runs + 1):
        open_bank(stage, scale.largest)
        prices.record_past(prices.SAFE)
        bare.append(_bare_inserts(called))
        worker = stage.worker("risk")
        with stage.running(worker):
            stage.await_workers(1)
            began = clock.now()
            prices.record(_CALLED)
            eventually(lambda: _count("loans_margincall") == called, "all are called", _LONGEST_SECONDS, pause=0.5)
        written.append((_last_commit() - began).total_seconds())
        assert _count("loans_loanevent") == called
        assert _count("liquidation_liquidation") == 0
        sent.append(_sent_a_second())
        stage.say(f"run {run}: {called:,} called in {written[-1]:.1f} s; {sent[-1]:,.0f} events sent a second")
    yardstick = Figure(what=f"{called:,} bare rows", runs=tuple(bare), unit="s")
    return Measured(
        figures=(
            Figure(what=f"{called:,} of {scale.largest:,} called, with events", runs=tuple(written), unit="s").against(
                yardstick
            ),
            Figure(what="loan events sent a second, by one task", runs=tuple(sent), unit="/s"),
        ),
        notes=(
            f"Wanted: 100,000 margin calls within {_MOST_SECONDS} s.",
            "A bare row: loan, price and instant, in a table without constraints, all in one statement.",
            "A loan event is sent only while no liquidation event is due.",
        ),
    )


def _bare_inserts(count: int) -> float:
    """Seconds of inserting so many plain rows."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bare (loan_id bigint, price numeric, at timestamptz)")
        began = time.perf_counter()
        cursor.execute(
            "INSERT INTO bare SELECT id, %s, now() FROM loans_loan ORDER BY debt_per_unit DESC LIMIT %s",
            [_CALLED, count],
        )
        seconds = time.perf_counter() - began
        cursor.execute("DROP TABLE bare")
    return seconds


def _sent_a_second() -> float:
    """Loan events sent a second by one run of the task that sends them."""
    began = time.perf_counter()
    sent = publish_loan_events()
    assert sent
    return sent / (time.perf_counter() - began)


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def _last_commit() -> datetime:
    """When the last margin call was committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(pg_xact_commit_timestamp(xmin)) FROM loans_margincall")
        committed: datetime = cursor.fetchone()[0]
    return committed
