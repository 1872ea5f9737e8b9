"""h: how many bytes loans, liquidations, quotes and their history take, and what vacuum and pruning cost."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from django.db import connection, connections

from benchmarks import prices
from benchmarks.bank import open_bank
from benchmarks.figures import Figure, Measured
from benchmarks.scale import Scale
from benchmarks.stage import Stage
from liquidation.evaluate import evaluate_loans
from liquidation.models import Liquidation, LiquidationEvent
from liquidation.publish import publish
from liquidation.sell import Outcome, sell
from loans import postings
from pricing.ingest import prune
from pricing.markets import Market

_DAY_SECONDS = 86_400
_SELLERS = 8
_POSTINGS = 500
#: Times the bytes a loan takes in the smallest bank; and bytes.
_MOST_GROWTH = 1.2
_MOST_LIQUIDATION, _MOST_LOG_LIQUIDATION, _MOST_LOG_POSTING = 10_000, 16_000, 5_200
_MOST_QUOTE, _MOST_DEAD = 600, 500
_LOANS = ("loans_loan", "loans_historicalloan", "loans_collateralposting", "loans_historicalcollateralposting",
          "loans_acceptedrequest")  # fmt: skip
_LIQUIDATIONS = (
    "liquidation_liquidation", "liquidation_historicalliquidation", "liquidation_tradeorder",
    "liquidation_historicaltradeorder", "liquidation_liquidationevent", "liquidation_historicalliquidationevent",
    "loans_historicalloan",
)  # fmt: skip
_QUOTES = ("pricing_pricequote",)


def measure(stage: Stage, scale: Scale) -> Measured:
    """Bytes a row with its history and indexes; then a day of quotes: recorded, evaluated, vacuumed and pruned."""
    loans = tuple(_bytes_a_loan(stage, size) for size in scale.banks)
    liquidation, written = _bytes_a_liquidation(stage, scale.settled)
    posting = _log_bytes_a_posting(stage, scale.banks[0])
    quotes = round(_DAY_SECONDS * scale.day_share) * len(Market)
    stage.use()
    quote, dead = _a_day_of_quotes(quotes)
    vacuum = _timed_vacuum(_QUOTES)
    began = time.perf_counter()
    pruned = prune.prune()
    pruning_seconds = time.perf_counter() - began
    vacuum_after = _timed_vacuum(_QUOTES)
    stage.say(f"{pruned:,} of {quotes:,} quotes pruned in {pruning_seconds:.1f} s")
    smallest, largest = scale.banks[0], scale.banks[-1]
    retained = quote * _DAY_SECONDS * len(Market) * 30 / 2**30
    return Measured(
        figures=(
            _one(f"on disk a loan with its history, {largest:,}", loans[-1], "bytes")
            .against(_one(f"of {smallest:,}", loans[0], "bytes"))
            .at_most(_MOST_GROWTH),
            _one("on disk a settled liquidation with its history", liquidation, "bytes").no_more_than(
                _MOST_LIQUIDATION
            ),
            _one("written to the log for a liquidation", written, "bytes").no_more_than(_MOST_LOG_LIQUIDATION),
            _one("written to the log for a posting", posting, "bytes").no_more_than(_MOST_LOG_POSTING),
            _one("on disk a quote", quote, "bytes").no_more_than(_MOST_QUOTE),
            _one("left behind until vacuum when a quote is evaluated", dead, "bytes").no_more_than(_MOST_DEAD),
            _one(f"vacuum after {quotes:,} quotes were evaluated", vacuum, "s"),
            _one(f"pruning {pruned:,} quotes", pruning_seconds, "s"),
            _one("vacuum after the pruning", vacuum_after, "s"),
        ),
        notes=(
            f"Two markets, a quote a second each, kept for 30 days: {retained:.1f} GB. `pricing.prune_quotes` removes a"
            " day's quotes each night, in batches, and plain vacuum makes their space free for the next day's.",
        ),
    )


def _one(what: str, value: float, unit: str) -> Figure:
    """A figure of one run."""
    return Figure(what=what, runs=(value,), unit=unit)


def _bytes_a_loan(stage: Stage, size: int) -> float:
    open_bank(stage, size)
    return _bytes(_LOANS) / size


def _bytes_a_liquidation(stage: Stage, count: int) -> tuple[float, float]:
    """Bytes on disk, and in the write-ahead log, of a liquidation from its claim to its published event."""
    open_bank(stage, count, edge_every=1)
    prices.record_past(prices.SAFE)
    prices.record(prices.CRASHED)
    before, log_before = _bytes(_LIQUIDATIONS), _log_position()
    assert evaluate_loans()
    markets = stage.markets(faults="0", price=prices.CRASHED, publish=False)
    with markets, ThreadPoolExecutor(_SELLERS) as pool:
        keys = list(Liquidation.objects.values_list("pk", flat=True))
        settled = sum(pool.map(_sell_and_publish, keys))
        list(pool.map(lambda _: connections.close_all(), range(_SELLERS * 4)))
    assert settled == count, f"{settled} of {count} settled"
    assert not LiquidationEvent.objects.filter(sent_at__isnull=True).exists()
    return (_bytes(_LIQUIDATIONS) - before) / count, (_log_position() - log_before) / count


def _sell_and_publish(pk: int) -> bool:
    settled = sell(pk) is Outcome.SETTLED
    publish(pk)  # unless another call has published it along with its own
    return settled


def _log_bytes_a_posting(stage: Stage, loans: int) -> float:
    """Bytes in the write-ahead log for a posting, with its history and its stored answer."""
    open_bank(stage, loans)
    prices.record_past(prices.SAFE)
    before = _log_position()
    for number in range(_POSTINGS):
        loan = number % loans + 1
        postings.post_collateral(
            client="",
            request_id=f"growth-{number}",
            loan_id=f"loan-{loan}",
            borrower_id=f"borrower-{loan // 10}",
            amount=Decimal("0.001"),
        )
    return (_log_position() - before) / _POSTINGS


def _a_day_of_quotes(count: int) -> tuple[float, float]:
    """Record a day of quotes and mark them as evaluated; the day is long past.

    Returns bytes a quote, and bytes of the dead row version that the mark leaves behind until vacuum removes it.
    """
    before = _bytes(_QUOTES)
    prices.record_past(prices.SAFE, seconds=count // len(Market))
    recorded = _bytes(_QUOTES)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pricing_pricequote SET evaluated_at = received_at, sent_at = sent_at - interval '31 days'"
        )
    return (recorded - before) / count, (_bytes(_QUOTES) - recorded) / count


def _timed_vacuum(tables: Sequence[str]) -> float:
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM (ANALYZE) {', '.join(tables)}")
    return time.perf_counter() - began


def _bytes(tables: Sequence[str]) -> int:
    """Bytes of tables with their indexes and TOAST tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(%s::text[]) name", [list(tables)]
        )
        return int(cursor.fetchone()[0])


def _log_position() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        return int(cursor.fetchone()[0])
