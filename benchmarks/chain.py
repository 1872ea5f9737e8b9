"""c: claimed loans, sold on markets that fail, settled and published: how many a second, and where the time goes."""

import time
from collections.abc import Sequence
from pathlib import Path

from django.db import connection

from benchmarks import prices
from benchmarks.bank import open_bank
from benchmarks.costs import processor_seconds, spent
from benchmarks.figures import Figure, Measured, over
from benchmarks.scale import Scale
from benchmarks.stage import Stage, eventually
from liquidation import invariants
from liquidation.evaluate import evaluate_loans
from local.stack import ChildProcess

_SCRIPT = Path(__file__).with_name("chain.pgbench.sql")
_WARM_UP_SECONDS = 5.0
_SALES_WORKERS = 2
_PGBENCH_CLIENTS = 8


def measure(stage: Stage, scale: Scale) -> Measured:
    """Published per second with a third of all orders failing, beside pgbench's ceiling and a world without faults."""
    claimed = claimed_bank(stage, scale)
    failing, where = sell_off(stage, scale, claimed, faults="0.3")
    faultless, where_faultless = sell_off(stage, scale, claimed, faults="0")
    ceiling = _ceiling(stage, scale, claimed)
    rate = Figure(what="published a second, 30 % faults, 20 ms", runs=failing, unit="/s")
    return Measured(
        figures=(
            Figure(
                what=rate.what, runs=rate.runs, unit="/s", yardstick=ceiling, reach=over(rate.value, 120, "≥ 120/s")
            ),
            Figure(what="published a second, no faults, 20 ms", runs=faultless, unit="/s", yardstick=ceiling),
        ),
        notes=(
            f"{_SALES_WORKERS} sales workers; prices, risk, beat, both markets and all servers on the same cores.",
            "The ceiling: pgbench's transactions a second, each with all that the books write for a liquidation.",
            "Processor milliseconds a published liquidation, 30 % faults: " + _listed(where),
            "The same without faults: " + _listed(where_faultless),
        ),
        details={"milliseconds_each": where, "milliseconds_each_without_faults": where_faultless},
    )


def claimed_bank(stage: Stage, scale: Scale) -> str:
    """The name under which a bank is kept whose loans are all claimed, and none sold."""
    name = f"benchmarks_claimed_{scale.chain_backlog}"
    if not stage.kept(name):
        open_bank(stage, scale.chain_backlog, edge_every=1)
        _claim_all()
        stage.keep(name)
    return name


def _claim_all() -> None:
    """Breach and claim the whole bank, while nobody is there to sell."""
    prices.have_heard(prices.SAFE)
    prices.hear(prices.CRASHED)
    assert evaluate_loans()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE liquidation_liquidation SET enqueued_at = NULL")
        cursor.execute("CREATE TABLE benchmark_event (LIKE liquidation_liquidationevent INCLUDING DEFAULTS)")
        cursor.execute(
            "CREATE SEQUENCE benchmark_event_id_seq; ALTER TABLE benchmark_event"
            " ALTER id SET DEFAULT nextval('benchmark_event_id_seq'), ADD PRIMARY KEY (id), ADD UNIQUE (event_id),"
            " ADD FOREIGN KEY (liquidation_id) REFERENCES liquidation_liquidation"
        )
        cursor.execute("CREATE INDEX ON benchmark_event (liquidation_id)")


def sell_off(
    stage: Stage, scale: Scale, claimed: str, *, faults: str, pool: Sequence[str] = ()
) -> tuple[tuple[float, ...], dict[str, float]]:
    """Published a second in each of some windows; and processor milliseconds a liquidation, by process.

    `pool` are options of the sales workers in place of those they have in service.
    """
    stage.use(claimed)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    with stage.markets(faults=faults, price=prices.CRASHED) as markets:
        processes = {
            "markets": markets,
            "sales workers": [stage.worker("sales", number + 1, pool=pool) for number in range(_SALES_WORKERS)],
            "prices and risk workers": [stage.worker("prices"), stage.worker("risk")],
            "beat": [stage.beat()],
        }
        service = [process for group in processes.values() for process in group if process not in markets]
        with stage.running(*service):
            eventually(lambda: _published() > 0, "the first is published", 90)
            time.sleep(min(_WARM_UP_SECONDS, scale.chain_window_seconds))
            rates: list[float] = []
            before, first = _spent_so_far(stage, processes), _published()
            for run in range(1, scale.runs + 1):
                began, count = time.monotonic(), _published()
                time.sleep(scale.chain_window_seconds)
                rates.append((_published() - count) / (time.monotonic() - began))
                stage.say(f"{faults} faults, window {run}: {rates[-1]:.0f} published a second")
            costs = spent(before, _spent_so_far(stage, processes))
            published = _published() - first
            _books_are_right(stage)
    return tuple(rates), {name: round(1000 * seconds / max(1, published), 2) for name, seconds in costs.items()}


def _spent_so_far(stage: Stage, processes: dict[str, list[ChildProcess]]) -> dict[str, float]:
    servers = {"PostgreSQL": stage.stack.postgres, "SNS and SQS": stage.stack.sns_sqs, "Redis": stage.stack.valkey}
    groups = processes | {name: [server.process] for name, server in servers.items()}
    return {
        name: sum(processor_seconds(process.pid) for process in group if process.pid) for name, group in groups.items()
    }


def _books_are_right(stage: Stage) -> None:
    """What is fast and wrong is not fast. A run that is cut short does not promise that nothing is overdue."""
    broken = [found.invariant.name for found in invariants.check(at_every_moment=True) if found.violations]
    assert not broken, f"broken promises: {broken}"
    stage.say("the books are right")


def _ceiling(stage: Stage, scale: Scale, claimed: str) -> Figure:
    runs = []
    for _ in range(scale.runs):
        stage.use(claimed)
        tps = stage.pgbench(
            _SCRIPT,
            clients=_PGBENCH_CLIENTS,
            seconds=min(5, scale.chain_window_seconds),
            variables={"liquidations": scale.chain_backlog},
        )
        runs.append(tps)
    ceiling = Figure(what="pgbench, the same writes", runs=tuple(runs), unit="/s")
    stage.say(f"pgbench: {ceiling.value:,.0f} transactions a second")
    return ceiling


def _listed(costs: dict[str, float]) -> str:
    return ", ".join(f"{name} {milliseconds:g}" for name, milliseconds in costs.items())


def _published() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM liquidation_liquidationevent WHERE sent_at IS NOT NULL")
        return int(cursor.fetchone()[0])
