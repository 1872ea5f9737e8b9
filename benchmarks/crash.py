"""b: one tick breaches a tenth of the bank; how fast the loans are claimed, and whom that keeps waiting."""

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import connection, connections

from benchmarks import prices
from benchmarks.bank import at_the_edge, open_bank
from benchmarks.costs import peak_megabytes
from benchmarks.figures import Figure, Measured, over, percentile, under
from benchmarks.scale import Scale
from benchmarks.stage import Stage, eventually
from coruscant import clock
from coruscant.errors import DomainError
from liquidation.claim import claim_loans
from loans import postings
from pricing import best_price
from pricing.markets import Market

_LONGEST_SECONDS = 180
_TICK_SECONDS = 0.5
_POSTING_SECONDS = 0.05


def measure(stage: Stage, scale: Scale) -> Measured:
    """Claims per second of a real risk worker while ticks and postings go on, beside a loop over single claims."""
    rates, loops, memories, ticks, postings, longest = [], [], [], [], [], []
    breached = at_the_edge(scale.largest)
    for run in range(1, scale.runs + 1):
        open_bank(stage, scale.largest)
        prices.have_heard(prices.SAFE)
        loops.append(_loop(scale.loop_claims))
        open_bank(stage, scale.largest)
        prices.have_heard(prices.SAFE)
        worker = stage.worker("risk")
        with stage.running(worker):
            stage.await_workers(1)
            level = [prices.SAFE]
            hear, post = partial(_tick, level), partial(_post, scale.largest)
            with _busy(hear, _TICK_SECONDS) as tick_waits, _busy(post, _POSTING_SECONDS) as posting_waits:
                began = _fall(level)
                eventually(lambda: _claimed() >= breached <= _count(), "all are claimed", _LONGEST_SECONDS)
                seconds = (_last_commit() - began).total_seconds()
            assert worker.pid is not None
            memories.append(peak_megabytes(worker.pid))
        rates.append(_count() / seconds)
        ticks.append(1000 * max(tick_waits, default=0.0))
        postings.append(1000 * max(posting_waits, default=0.0))
        longest.append(1000 * percentile(posting_waits, 0.99))
        stage.say(
            f"run {run}: {breached:,} claimed in {seconds:.1f} s, {rates[-1]:,.0f}/s; one by one {loops[-1]:,.0f}/s;"
            f" longest waits: tick {ticks[-1]:.0f} ms, posting {postings[-1]:.0f} ms"
        )
    loop = Figure(what="claimed one by one", runs=tuple(loops), unit="/s")
    rate = Figure(what=f"{breached:,} of {scale.largest:,} claimed, with history", runs=tuple(rates), unit="/s")
    times = rate.value / loop.value
    memory = Figure(what="peak memory of the worker process", runs=tuple(memories), unit="MB")
    tick = Figure(what="longest wait of another tick meanwhile", runs=tuple(ticks), unit="ms")
    posting = Figure(what="longest wait of a posting meanwhile", runs=tuple(postings), unit="ms")
    return Measured(
        figures=(
            Figure(
                what=rate.what,
                runs=rate.runs,
                unit="/s",
                yardstick=loop,
                reach=over(min(rate.value / 6000, times / 20), 1, "≥ 6,000/s and ≥ 20× the loop"),
            ),
            _reaching(memory, 300, "≤ 300 MB"),
            _reaching(tick, 250, "≤ 250 ms"),
            _reaching(posting, 250, "≤ 250 ms"),
            Figure(what="p99 of the postings meanwhile", runs=tuple(longest), unit="ms"),
        ),
        notes=(
            "From the instant the price fell to the commit of the last claim, found by PostgreSQL's commit timestamps.",
            f"Meanwhile a quote every {_TICK_SECONDS:g} s, and a posting every {_POSTING_SECONDS:g} s on any loan.",
        ),
    )


def _reaching(figure: Figure, most: float, words: str) -> Figure:
    return Figure(what=figure.what, runs=figure.runs, unit=figure.unit, reach=under(figure.value, most, words))


def _loop(count: int) -> float:
    """Claims per second when breached loans are claimed one by one, each in a transaction of its own."""
    prices.hear(prices.CRASHED)
    point = best_price.current()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM loans_loan WHERE status = 'active' ORDER BY debt_per_unit DESC, id DESC LIMIT %s", [count]
        )
        loans = [pk for (pk,) in cursor.fetchall()]
    began = time.perf_counter()
    claimed = sum(len(claim_loans([pk], point)) for pk in loans)
    seconds = time.perf_counter() - began
    assert claimed == len(loans)
    return claimed / seconds


def _fall(level: list[str]) -> datetime:
    """Let the price fall on both markets; returns an instant just before it did, so before anybody could know."""
    began = clock.now()
    level[0] = prices.CRASHED
    prices.hear(prices.CRASHED)
    return began


@contextmanager
def _busy(act: Callable[[], Any], pause: float) -> Iterator[list[float]]:
    """Do something again and again in a thread; yields the list of how many seconds each took."""
    took: list[float] = []
    stop = threading.Event()

    def work() -> None:
        try:
            while not stop.wait(pause):
                began = time.perf_counter()
                act()
                took.append(time.perf_counter() - began)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    eventually(lambda: len(took) > 1, "the work goes on", 30)
    took.clear()  # the first ones opened connections
    try:
        yield took
    finally:
        stop.set()
        thread.join(30)


_markets = itertools.cycle(Market)
_numbers = itertools.count(1)
_dice = random.Random(7)


def _tick(level: list[str]) -> None:
    """Another quote of the present level, of the markets in turns."""
    prices.hear(level[0], next(_markets))


def _post(loans: int) -> None:
    """A posting on any loan, as the API makes it; a loan that has been claimed refuses it."""
    number, loan = next(_numbers), _dice.randint(1, loans)
    with suppress(DomainError):
        postings.post_collateral(
            client="",
            request_id=f"meanwhile-{number}",
            loan_id=f"loan-{loan}",
            borrower_id=f"borrower-{loan // 10}",
            amount=Decimal("0.001"),
        )


def _claimed() -> int:
    """How many liquidations there may be, those not yet committed too: it costs nothing to ask."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM liquidation_liquidation_id_seq")
        return int(cursor.fetchone()[0])


def _count() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM liquidation_liquidation")
        return int(cursor.fetchone()[0])


def _last_commit() -> datetime:
    """When the last claim was committed: by its history, since recovery notes its bells on the liquidation's row."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(pg_xact_commit_timestamp(xmin)) FROM liquidation_historicalliquidation WHERE history_type = '+'"
        )
        committed: datetime = cursor.fetchone()[0]
    return committed
