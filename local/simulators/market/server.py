"""A whole market: exchange, order endpoint, moving prices, publishing, control API."""

import asyncio
import logging
import time
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from aiohttp import web

from local.simulators.exact import plain, write_json
from local.simulators.lifecycle import explain_bad_requests, listen
from local.simulators.market.black_spire_outpost import BlackSpireOutpost
from local.simulators.market.control import MarketControl
from local.simulators.market.exchange import Exchange, PriceEvent, Prices
from local.simulators.market.fault_plan import FaultPlan, shares_in_total
from local.simulators.market.faults import USUAL_KINDS, Kind
from local.simulators.market.mos_espa import MosEspa
from local.simulators.market.order_book import Levels
from local.simulators.market.order_desk import OrderDesk
from local.simulators.market.price_faults import deliveries
from local.simulators.market.price_publisher import PricePublisher
from local.simulators.market.scenario import Scenario, ScenarioPrices
from local.simulators.market.script import ScriptedPrices
from local.simulators.market.wire import WireFormat

log = logging.getLogger(__name__)

MARKETS: dict[str, WireFormat] = {wire.name: wire for wire in (MosEspa(), BlackSpireOutpost())}

_LARGEST_REQUEST = 64 * 1024
#: What is larger than the order desk takes must still reach it, to be refused there.
_LARGEST_HEADER = 256 * 1024
_PUBLISHING_PATIENCE_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketOptions:
    """How a market begins. Shares are from 0 to 1; prices are GC per unit; port 0 is any free one."""

    market: str
    host: str = "127.0.0.1"
    port: int = 0
    sns_endpoint: str | None = None
    scenario: Scenario = Scenario.CALM
    script: list[Levels] | None = None
    start_price: Decimal = Decimal(50)
    seed: int = 7
    interval_seconds: Decimal = Decimal(1)
    paused: bool = False
    fault_share: Decimal = Decimal("0.3")
    fault_kinds: tuple[Kind, ...] = USUAL_KINDS
    slow_seconds: tuple[float, float] = (0.5, 12.0)
    latency_seconds: float = 0.0
    partial_share: Decimal = Decimal("0.02")
    price_fault_share: Decimal = Decimal("0.02")
    other_item_share: Decimal = Decimal("0.1")


class MarketServer:
    """A market that runs in the event loop it was started in."""

    def __init__(self, options: MarketOptions) -> None:
        """Make the market; it opens with `start`."""
        self._options = options
        self.interval_seconds = options.interval_seconds
        self.paused = options.paused
        self.price_fault_share = options.price_fault_share
        self.other_item_share = options.other_item_share
        wire = MARKETS[options.market]
        self._scenario_prices = self._new_scenario(options.scenario)
        self._script = ScriptedPrices(options.script) if options.script else None
        self.exchange = Exchange(
            wire,
            self._script or self._scenario_prices,
            self._random("makers"),
            steady_clock=time.monotonic,
            partial_share=options.partial_share,
        )
        plan = FaultPlan(
            shares_in_total(options.fault_share, options.fault_kinds), self._random("faults"), options.slow_seconds
        )
        self.desk = OrderDesk(self.exchange, plan, options.latency_seconds)
        self._price_random = self._random("price events")
        self._publisher: PricePublisher | None = None
        if options.sns_endpoint:
            self._publisher = PricePublisher(options.sns_endpoint, wire.topic)
        self._last_event: PriceEvent | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._runner: web.AppRunner | None = None

    async def start(self) -> int:
        """Open the market; returns its port."""
        app = web.Application(client_max_size=_LARGEST_REQUEST, middlewares=[explain_bad_requests])
        app.router.add_post(self.exchange.wire.order_path, self.desk.take_order)
        MarketControl(self).add_routes(app)
        self._runner, port = await listen(app, self._options.host, self._options.port, largest_header=_LARGEST_HEADER)
        if self._publisher:
            self._publisher.start()
        self._ticking = asyncio.create_task(self._tick_forever())
        log.info("%s is open on port %d", self.exchange.wire.name, port)
        return port

    async def stop(self) -> None:
        """Close the market; orders under way are dropped."""
        if self._ticking:
            self._ticking.cancel()
        if self._publisher:
            self._publisher.stop()
        if self._runner:
            await self._runner.cleanup()

    def tick(self) -> None:
        """Let one interval pass."""
        self.exchange.tick(self.interval_seconds)

    async def publish_now(self) -> dict[str, Any]:
        """Publish the present prices and wait until that is done; return the event and its MessageId.

        The MessageId is null where nothing is published, or the endpoint does not answer.
        """
        event = self._make_event()
        message_id = None
        if self._publisher:
            offered = asyncio.wrap_future(self._publisher.offer(write_json(event.body)))
            done, _ = await asyncio.wait({offered}, timeout=_PUBLISHING_PATIENCE_SECONDS)
            message_id = offered.result() if done else None
        return {"event": event.body, "messageId": message_id}

    def change_prices(self, prices: Prices) -> None:
        """Follow a script from now on, until a scenario is asked for."""
        self._script = prices if isinstance(prices, ScriptedPrices) else None
        self.exchange.change_prices(prices)

    def change_scenario(self, scenario: Scenario) -> None:
        """Follow a scenario from now on; after a script it begins again at the start price."""
        if scenario is Scenario.SCRIPT:
            raise ValueError("a script is set with PUT /simulator/price")
        if self._script:
            self._scenario_prices = self._new_scenario(Scenario.CALM)
            self.change_prices(self._scenario_prices)
        self._scenario_prices.change(scenario)

    def scenario_prices(self) -> ScenarioPrices:
        """Return the prices of the scenario; ValueError while the market follows a script."""
        if self._script:
            raise ValueError("the market follows a script: set another, or ask for a scenario first")
        return self._scenario_prices

    def state(self) -> dict[str, Any]:
        """Return scenario, price, faults and counters, as JSON."""
        publisher, desk = self._publisher, self.desk
        return {
            "market": self.exchange.wire.name,
            "scenario": "script" if self._script else self._scenario_prices.scenario.value,
            "middlePrice": plain(self.exchange.middle),
            "lastEvent": self._last_event.body if self._last_event else None,
            "published": publisher.published if publisher else 0,
            "publishFailures": publisher.failures if publisher else 0,
            "paused": self.paused,
            "down": desk.down,
            "faultShares": {kind.value: plain(share) for kind, share in desk.faults.shares.items()},
            "programmedFaultsWaiting": desk.faults.waiting,
            "tradedOrders": len(self.exchange.trades),
            "counters": desk.counters,
        }

    def _new_scenario(self, scenario: Scenario) -> ScenarioPrices:
        start = Scenario.CALM if scenario is Scenario.SCRIPT else scenario
        # Counted from the same instant by every market, whenever it was started: the better of two prices falls only
        # if both do.
        elapsed = Decimal(time.time_ns() // 10**9)
        return ScenarioPrices(start, self._options.start_price, self._random("prices"), elapsed=elapsed)

    def _random(self, purpose: str) -> Random:
        return Random(f"{self._options.seed}/{self._options.market}/{purpose}")

    def _make_event(self) -> PriceEvent:
        self._last_event = self.exchange.price_event()
        return self._last_event

    async def _tick_forever(self) -> None:
        due = time.monotonic()
        while True:
            if not self.paused:
                self._publish()
            due = max(due + float(self.interval_seconds), time.monotonic())
            await asyncio.sleep(due - time.monotonic())
            self.tick()

    def _publish(self) -> None:
        before = self._last_event
        body = write_json(self._make_event().body)
        if not self._publisher:
            return
        previous = write_json(before.body) if before else None
        for text in deliveries(body, previous, self.price_fault_share, self._price_random):
            self._publisher.offer(text)
        if Decimal(self._price_random.random()) < self.other_item_share:
            other = self.exchange.other_event()
            if other:
                self._publisher.offer(write_json(other))
