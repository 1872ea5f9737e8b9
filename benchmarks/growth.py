"""h: what loans, liquidations, quotes and their history weigh on disk, and what keeping them in order costs."""

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
from loans import services
from pricing.ingest import prune
from pricing.markets import Market

_DAY_SECONDS = 86_400
_SELLERS = 8
_POSTINGS = 500
_LOANS = ("loans_loan", "loans_historicalloan", "loans_collateralposting", "loans_historicalcollateralposting",
          "loans_acceptedrequest")  # fmt: skip
_LIQUIDATIONS = (
    "liquidation_liquidation", "liquidation_historicalliquidation", "liquidation_tradeorder",
    "liquidation_historicaltradeorder", "liquidation_liquidationevent", "liquidation_historicalliquidationevent",
    "loans_historicalloan",
)  # fmt: skip
_QUOTES = ("pricing_pricequote",)


def measure(stage: Stage, scale: Scale) -> Measured:
    """Bytes a row with all its history and indexes; then a day of quotes: recorded, swept, vacuumed and pruned."""
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
            Figure(
                what=f"on disk a loan with its history, {largest:,}",
                runs=(loans[-1],),
                unit="bytes",
                yardstick=Figure(what=f"of {smallest:,}", runs=(loans[0],), unit="bytes"),
            ),
            Figure(what="on disk a settled liquidation with its history", runs=(liquidation,), unit="bytes"),
            Figure(what="written to the log for a liquidation", runs=(written,), unit="bytes"),
            Figure(what="written to the log for a posting", runs=(posting,), unit="bytes"),
            Figure(what="on disk a quote", runs=(quote,), unit="bytes"),
            Figure(what="left behind until vacuum when a quote is swept", runs=(dead,), unit="bytes"),
            Figure(what=f"vacuum after {quotes:,} quotes were swept", runs=(vacuum,), unit="s"),
            Figure(what=f"pruning {pruned:,} quotes", runs=(pruning_seconds,), unit="s"),
            Figure(what="vacuum after the pruning", runs=(vacuum_after,), unit="s"),
        ),
        notes=(
            f"Two markets, a quote a second each, kept for 30 days: {retained:.1f} GB. `pricing.prune_quotes` removes a"
            " day's quotes each night, in batches, and plain vacuum gives their room to the next day's.",
        ),
    )


def _bytes_a_loan(stage: Stage, size: int) -> float:
    open_bank(stage, size)
    return _bytes(_LOANS) / size


def _bytes_a_liquidation(stage: Stage, count: int) -> tuple[float, float]:
    """Bytes on disk, and in the write-ahead log, of a liquidation from its claim to its published event."""
    open_bank(stage, count, edge_every=1)
    prices.have_heard(prices.SAFE)
    prices.hear(prices.CRASHED)
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
    publish(pk)  # or it is on its way with another's
    return settled


def _log_bytes_a_posting(stage: Stage, loans: int) -> float:
    """Bytes in the write-ahead log for a posting, with its history and its stored answer."""
    open_bank(stage, loans)
    prices.have_heard(prices.SAFE)
    before = _log_position()
    for number in range(_POSTINGS):
        loan = number % loans + 1
        services.post_collateral(
            client="",
            request_id=f"growth-{number}",
            loan_id=f"loan-{loan}",
            borrower_id=f"borrower-{loan // 10}",
            amount=Decimal("0.001"),
        )
    return (_log_position() - before) / _POSTINGS


def _a_day_of_quotes(count: int) -> tuple[float, float]:
    """Quotes of a day long past, each recorded unevaluated and then marked as swept.

    Returns bytes a quote, and bytes of the dead copy that the mark leaves behind until vacuum comes.
    """
    before = _bytes(_QUOTES)
    prices.have_heard(prices.SAFE, seconds=count // len(Market))
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
    """Bytes of tables with their indexes and what is stored beside them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(%s::text[]) name", [list(tables)]
        )
        return int(cursor.fetchone()[0])


def _log_position() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        return int(cursor.fetchone()[0])
