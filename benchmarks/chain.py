"""c: claimed loans are sold on markets that fail, settled and published: how many a second, and what each costs."""

import time
from collections.abc import Sequence
from pathlib import Path

from django.db import connection

from benchmarks import prices
from benchmarks.bank import open_bank
from benchmarks.costs import processor_seconds, spent
from benchmarks.figures import Figure, Measured
from benchmarks.scale import Scale
from benchmarks.stage import Stage, eventually
from liquidation import invariants
from liquidation.evaluate import evaluate_loans
from local.stack import ChildProcess

_SCRIPT = Path(__file__).with_name("chain.pgbench.sql")
_WARM_UP_SECONDS = 5.0
_SALES_WORKERS = 2
_PGBENCH_CLIENTS = 8
#: Times pgbench's rate, with and without faults.
_LEAST_FAILING, _LEAST_FAULTLESS = 0.06, 0.07
#: What asking again until three refusals agree costs shows where nothing else fails.
_PLAIN_REFUSALS = ("refusal", "refusal_4xx")
#: Tables that pgbench writes in place of the service's, with the same columns, keys and indexes.
_COPIES = """
    CREATE TABLE benchmark_order (LIKE liquidation_tradeorder INCLUDING ALL,
        FOREIGN KEY (liquidation_id) REFERENCES liquidation_liquidation);
    CREATE TABLE benchmark_answer (LIKE liquidation_orderanswer INCLUDING ALL,
        FOREIGN KEY (order_id) REFERENCES benchmark_order);
    CREATE TABLE benchmark_event (LIKE liquidation_liquidationevent INCLUDING DEFAULTS INCLUDING IDENTITY,
        PRIMARY KEY (id), UNIQUE (event_id), FOREIGN KEY (liquidation_id) REFERENCES liquidation_liquidation);
    CREATE INDEX ON benchmark_event (liquidation_id);
"""


def measure(stage: Stage, scale: Scale) -> Measured:
    """Published per second, by how many orders fail and how, against pgbench's rate for the writes."""
    claimed = claimed_bank(stage, scale)
    # pgbench runs before, between and after, so that all three meet the machine at about the same speed.
    writes = [_pgbench(stage, scale, claimed)]
    failing, costs = sell_off(stage, scale, claimed, faults="0.3")
    writes.append(_pgbench(stage, scale, claimed))
    refusing, costs_refusing = sell_off(stage, scale, claimed, faults="0.3", kinds=_PLAIN_REFUSALS)
    writes.append(_pgbench(stage, scale, claimed))
    faultless, costs_faultless = sell_off(stage, scale, claimed, faults="0")
    writes.append(_pgbench(stage, scale, claimed))
    ceiling = Figure(what="pgbench, the same writes", runs=tuple(writes), unit="/s")
    with_faults = Figure(what="published a second, 30 % faults, 20 ms", runs=failing, unit="/s")
    plain = Figure(what="published a second, 30 % plain refusals, 20 ms", runs=refusing, unit="/s")
    without = Figure(what="published a second, no faults, 20 ms", runs=faultless, unit="/s")
    return Measured(
        figures=(
            with_faults.against(ceiling).at_least(_LEAST_FAILING),
            plain.against(ceiling),
            without.against(ceiling).at_least(_LEAST_FAULTLESS),
        ),
        notes=(
            f"{_SALES_WORKERS} sales workers; prices, risk, beat, both markets and all servers on the same cores.",
            "pgbench: transactions a second, each with everything that is written for one liquidation.",
            "Processor milliseconds a published liquidation, 30 % faults: " + _listed(costs),
            "The same with 30 % plain refusals: " + _listed(costs_refusing),
            "The same without faults: " + _listed(costs_faultless),
        ),
        details={
            "milliseconds_each": costs,
            "milliseconds_each_with_refusals": costs_refusing,
            "milliseconds_each_without_faults": costs_faultless,
        },
    )


def claimed_bank(stage: Stage, scale: Scale) -> str:
    """The name of a kept bank whose loans are all claimed and none sold."""
    name = f"benchmarks_claimed_{scale.chain_backlog}"
    if not stage.kept(name):
        open_bank(stage, scale.chain_backlog, edge_every=1)
        _claim_all()
        stage.keep(name)
    return name


def _claim_all() -> None:
    """Breach and claim the whole bank while no worker runs that would sell."""
    prices.record_past(prices.SAFE)
    prices.record(prices.CRASHED)
    assert evaluate_loans()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE liquidation_liquidation SET enqueued_at = NULL")
        cursor.execute(_COPIES)


def sell_off(
    stage: Stage, scale: Scale, claimed: str, *, faults: str, kinds: Sequence[str] = (), pool: Sequence[str] = ()
) -> tuple[tuple[float, ...], dict[str, float]]:
    """Published per second in each window, and processor milliseconds a liquidation by process.

    `kinds`: the ways in which orders fail, in place of the usual ones. `pool`: options of the sales workers likewise.
    """
    stage.use(claimed)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    with stage.markets(faults=faults, kinds=kinds, price=prices.CRASHED) as markets:
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
                # On a busy machine nothing may come out for a second; then the window ends with the next one.
                eventually(lambda count=count: _published() > count, "the next is published", 60)  # type: ignore[misc]
                rates.append((_published() - count) / (time.monotonic() - began))
                stage.say(f"{faults} faults, window {run}: {rates[-1]:.0f} published a second")
            costs = spent(before, _spent_so_far(stage, processes))
            published = _published() - first
            _check_invariants(stage)
    return tuple(rates), {name: round(1000 * seconds / max(1, published), 2) for name, seconds in costs.items()}


def _spent_so_far(stage: Stage, processes: dict[str, list[ChildProcess]]) -> dict[str, float]:
    servers = {"PostgreSQL": stage.stack.postgres, "SNS and SQS": stage.stack.sns_sqs, "Redis": stage.stack.valkey}
    groups = processes | {name: [server.process] for name, server in servers.items()}
    return {
        name: sum(processor_seconds(process.pid) for process in group if process.pid) for name, group in groups.items()
    }


def _check_invariants(stage: Stage) -> None:
    """Wrong results would make the rate worthless. Only what must hold at every moment: the run is cut short."""
    broken = [found.invariant.name for found in invariants.check(at_every_moment=True) if found.violations]
    assert not broken, f"broken invariants: {broken}"
    stage.say("the invariants hold")


def _pgbench(stage: Stage, scale: Scale, claimed: str) -> float:
    """Transactions per second of the script on a fresh copy."""
    stage.use(claimed)
    rate = stage.pgbench(
        _SCRIPT,
        clients=_PGBENCH_CLIENTS,
        seconds=min(5, scale.chain_window_seconds),
        variables={"liquidations": scale.chain_backlog},
    )
    stage.say(f"pgbench: {rate:,.0f} transactions a second")
    return rate


def _listed(costs: dict[str, float]) -> str:
    return ", ".join(f"{name} {milliseconds:g}" for name, milliseconds in costs.items())


def _published() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM liquidation_liquidationevent WHERE sent_at IS NOT NULL")
        return int(cursor.fetchone()[0])
