"""Run one market: `python -m local.simulators.market --market mos_espa --port 4101`."""

import argparse
import asyncio
import os
from decimal import Decimal
from pathlib import Path

from local.simulators.exact import read_json
from local.simulators.lifecycle import run_until_stopped
from local.simulators.market.faults import USUAL_KINDS, Kind
from local.simulators.market.scenario import Scenario
from local.simulators.market.script import read_script
from local.simulators.market.server import MARKETS, MarketOptions, MarketServer


def read_options(arguments: list[str] | None = None) -> MarketOptions:
    """Read the command line; exits with a usage message if it is not valid."""
    parser = argparse.ArgumentParser(prog="python -m local.simulators.market", description=__doc__)
    parser.add_argument("--market", required=True, choices=sorted(MARKETS))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--sns-endpoint",
        default=os.environ.get("AWS_ENDPOINT_URL") or None,
        help="where to publish prices; without one, and without AWS_ENDPOINT_URL, nothing is published",
    )
    parser.add_argument("--scenario", type=Scenario, choices=list(Scenario), default=Scenario.CALM)
    parser.add_argument("--script", type=Path, help="a file of fixed prices, for --scenario script")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--faults", type=Decimal, default=Decimal("0.3"), help="share of failing orders")
    parser.add_argument(
        "--fault-kinds", type=Kind, nargs="+", choices=list(Kind), help="how they fail; the usual kinds if not given"
    )
    parser.add_argument("--latency-ms", type=float, default=20.0)
    parser.add_argument("--slow-seconds", type=float, nargs=2, default=(0.5, 12.0))
    parser.add_argument("--interval", type=Decimal, default=Decimal(1), help="seconds between prices")
    parser.add_argument("--start-price", type=Decimal, default=Decimal(50), help="GC per unit")
    parser.add_argument("--partial-share", type=Decimal, default=Decimal("0.02"))
    parser.add_argument("--price-faults", type=Decimal, help="share of price events that go wrong")
    given = parser.parse_args(arguments)
    scripted = given.scenario is Scenario.SCRIPT
    if scripted != (given.script is not None):
        parser.error("--scenario script and --script go together")
    noise = Decimal(0) if scripted else Decimal("0.02")
    return MarketOptions(
        market=given.market,
        host=given.host,
        port=given.port,
        sns_endpoint=given.sns_endpoint,
        scenario=given.scenario,
        script=read_script(read_json(given.script.read_bytes())) if scripted else None,
        start_price=given.start_price,
        seed=given.seed,
        interval_seconds=given.interval,
        fault_share=given.faults,
        fault_kinds=tuple(given.fault_kinds or USUAL_KINDS),
        slow_seconds=(given.slow_seconds[0], given.slow_seconds[1]),
        latency_seconds=given.latency_ms / 1000,
        partial_share=given.partial_share,
        price_fault_share=noise if given.price_faults is None else given.price_faults,
        other_item_share=Decimal(0) if scripted else Decimal("0.1"),
    )


async def serve(options: MarketOptions, stopped: asyncio.Event) -> None:
    """Run a market until the event is set."""
    market = MarketServer(options)
    await market.start()
    await stopped.wait()
    await market.stop()


if __name__ == "__main__":
    chosen = read_options()
    run_until_stopped(lambda stopped: serve(chosen, stopped))
