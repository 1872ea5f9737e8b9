"""b: one tick breaches a tenth of the bank: how fast the loans are claimed, and what has to wait meanwhile."""

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from decimal import Decimal
from functools import partial
from statistics import median
from typing import Any

from django.db import connection, connections

from benchmarks import prices
from benchmarks.bank import at_the_edge, open_bank
from benchmarks.costs import peak_megabytes
from benchmarks.figures import Figure, Measured, percentile
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
#: Claims a second, times those of the loop; the longest waits, times the usual ones in the calm before.
_LEAST_RATE, _MOST_WAIT = 20, 10


def measure(stage: Stage, scale: Scale) -> Measured:
    """Claims per second of a real risk worker while ticks and postings go on, against a loop over single claims."""
    rates, loops, memories, p99s = list[float](), list[float](), list[float](), list[float]()
    calm: dict[str, list[float]] = {"tick": [], "posting": []}
    longest: dict[str, list[float]] = {"tick": [], "posting": []}
    breached = at_the_edge(scale.largest)
    for run in range(1, scale.runs + 1):
        open_bank(stage, scale.largest)
        prices.record_past(prices.SAFE)
        loops.append(_loop(scale.loop_claims))
        open_bank(stage, scale.largest)
        prices.record_past(prices.SAFE)
        worker = stage.worker("risk")
        with stage.running(worker):
            stage.await_workers(1)
            level = [prices.SAFE]
            record, post = partial(_tick, level), partial(_post, scale.largest)
            with _busy(record, _TICK_SECONDS) as ticks, _busy(post, _POSTING_SECONDS) as postings:
                waits = {"tick": ticks, "posting": postings}
                for name, wait in _calm(waits, scale.calm_seconds).items():
                    calm[name].append(wait)
                began = _fall(level)
                eventually(lambda: _claimed() >= breached <= _count(), "all are claimed", _LONGEST_SECONDS)
                seconds = (_last_commit() - began).total_seconds()
            assert worker.pid is not None
            memories.append(peak_megabytes(worker.pid))
        rates.append(_count() / seconds)
        for name, took in waits.items():
            longest[name].append(1000 * max(took, default=0.0))
        p99s.append(1000 * percentile(postings, 0.99))
        stage.say(
            f"run {run}: {breached:,} claimed in {seconds:.1f} s, {rates[-1]:,.0f}/s; one by one {loops[-1]:,.0f}/s;"
            f" longest waits: tick {longest['tick'][-1]:.0f} ms, posting {longest['posting'][-1]:.0f} ms"
        )
    loop = Figure(what="claimed one by one", runs=tuple(loops), unit="/s")
    rate = Figure(what=f"{breached:,} of {scale.largest:,} claimed, with history", runs=tuple(rates), unit="/s")
    memory = Figure(what="peak memory of the worker process", runs=tuple(memories), unit="MB")
    usual = {name: Figure(what=f"a {name} before", runs=tuple(runs), unit="ms") for name, runs in calm.items()}
    tick = Figure(what="longest wait of another tick meanwhile", runs=tuple(longest["tick"]), unit="ms")
    posting = Figure(what="longest wait of a posting meanwhile", runs=tuple(longest["posting"]), unit="ms")
    return Measured(
        figures=(
            rate.against(loop).at_least(_LEAST_RATE),
            memory.no_more_than(300),
            tick.against(usual["tick"]).at_most(_MOST_WAIT),
            posting.against(usual["posting"]).at_most(_MOST_WAIT),
            Figure(what="p99 of the postings meanwhile", runs=tuple(p99s), unit="ms").against(usual["posting"]),
        ),
        notes=(
            "From the instant the price fell to the commit of the last claim, by PostgreSQL's commit timestamps.",
            f"All the time, a quote every {_TICK_SECONDS:g} s and a posting to any loan every {_POSTING_SECONDS:g} s.",
        ),
    )


def _loop(count: int) -> float:
    """Claims per second when breached loans are claimed one by one, each in its own transaction."""
    prices.record(prices.CRASHED)
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


def _calm(waits: Mapping[str, list[float]], seconds: float) -> dict[str, float]:
    """Wait a while, then forget the waits so far. Returns the median of each, in milliseconds."""
    time.sleep(seconds)
    eventually(lambda: all(waits.values()), "there were some in the calm", 30)
    usual = {name: 1000 * median(took) for name, took in waits.items()}
    for took in waits.values():
        took.clear()
    return usual


def _fall(level: list[str]) -> datetime:
    """Let the price fall on both markets. Returns the instant just before."""
    began = clock.now()
    level[0] = prices.CRASHED
    prices.record(prices.CRASHED)
    return began


@contextmanager
def _busy(act: Callable[[], Any], pause: float) -> Iterator[list[float]]:
    """Repeat something in a thread. Yields the list to which the seconds of each are appended."""
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
_seeded = random.Random(7)


def _tick(level: list[str]) -> None:
    """Record another quote at the present price, from each market in turn."""
    prices.record(level[0], next(_markets))


def _post(loans: int) -> None:
    """Post collateral to a random loan, as the API does. A loan that has been claimed refuses it."""
    number, loan = next(_numbers), _seeded.randint(1, loans)
    with suppress(DomainError):
        postings.post_collateral(
            client="",
            request_id=f"meanwhile-{number}",
            loan_id=f"loan-{loan}",
            borrower_id=f"borrower-{loan // 10}",
            amount=Decimal("0.001"),
        )


def _claimed() -> int:
    """How many liquidations there are at most, uncommitted ones included. Cheap, so it can be asked often."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM liquidation_liquidation_id_seq")
        return int(cursor.fetchone()[0])


def _count() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM liquidation_liquidation")
        return int(cursor.fetchone()[0])


def _last_commit() -> datetime:
    """When the last claim was committed, by its history row: recovery may since have updated the liquidation itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(pg_xact_commit_timestamp(xmin)) FROM liquidation_historicalliquidation WHERE history_type = '+'"
        )
        committed: datetime = cursor.fetchone()[0]
    return committed
