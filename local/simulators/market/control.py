"""The API under /simulator/: what a market did, and how it is to behave from now on."""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from aiohttp import web

from local.simulators.exact import BadJsonError, plain, read_decimal, read_json
from local.simulators.lifecycle import json_answer
from local.simulators.market.faults import Fault, Kind, shares_in_total
from local.simulators.market.scenario import CRASH_OVER_SECONDS, CRASH_TO, Scenario
from local.simulators.market.script import ScriptedPrices, read_script
from local.simulators.market.wire import Trade

if TYPE_CHECKING:
    from local.simulators.market.server import MarketServer

_RECOVER_OVER_SECONDS = Decimal(10)
_LONGEST_DELAY_SECONDS = Decimal(3600)


class MarketControl:
    """Handlers and settings of one market."""

    def __init__(self, market: "MarketServer") -> None:
        """Control this market."""
        self._market = market
        self._fault_share = sum(market.desk.faults.shares.values(), Decimal(0))
        self._fault_kinds: tuple[Kind, ...] = tuple(Kind)
        self._settings: dict[str, Callable[[Any], None]] = {
            "scenario": lambda told: market.change_scenario(Scenario(told)),
            "crash": self._crash,
            "recover": self._recover,
            "move": self._move,
            "faultShare": self._set_total_share,
            "faultKinds": self._set_kinds,
            "faultShares": self._set_each_share,
            "nextFaults": lambda told: market.desk.faults.program_next(_faults(told)),
            "everyOrderFaults": lambda told: market.desk.faults.program_deliveries(_faults(told)),
            "slowSeconds": self._set_slow_seconds,
            "latencyMs": self._set_latency,
            "interval": self._set_interval,
            "partialShare": self._set_partial_share,
            "priceFaultShare": self._set_price_fault_share,
            "otherItemShare": self._set_other_item_share,
            "impactPerUnit": self._set_impact,
            "paused": self._set_paused,
            "down": self._set_down,
        }

    def add_routes(self, app: web.Application) -> None:
        """Serve this API."""
        app.router.add_get("/simulator/orders", self.orders)
        app.router.add_get("/simulator/deliveries", self.deliveries)
        app.router.add_get("/simulator/state", self.state)
        app.router.add_put("/simulator/settings", self.change)
        app.router.add_put("/simulator/price", self.script_price)
        app.router.add_post("/simulator/price-events", self.publish)

    async def orders(self, request: web.Request) -> web.Response:
        """List traded orders, oldest first: one by `requestId`, or all, or pages by `after` and `limit`."""
        trades = self._market.exchange.trades
        if (request_id := request.query.get("requestId")) is not None:
            found = [trades[request_id]] if request_id in trades else []
            return self._orders_page(found, None)
        after = int(request.query.get("after", 0))
        limit = int(request.query.get("limit", len(trades)))
        page = list(trades.values())[after : after + limit]
        more = after + len(page) < len(trades)
        return self._orders_page(page, after + len(page) if more else None)

    def _orders_page(self, trades: list[Trade], following: int | None) -> web.Response:
        desk = self._market.desk
        return json_answer(
            {
                "market": self._market.exchange.wire.name,
                "orders": [_order_row(trade, desk.arrivals[trade.request_id]) for trade in trades],
                "next": following,
                "counters": desk.counters,
            }
        )

    async def deliveries(self, request: web.Request) -> web.Response:
        """List order requests that arrived, oldest first, whatever came of them; the latest 100,000."""
        wanted = request.query.get("requestId")
        rows = [
            {
                "requestId": delivery.request_id,
                "outcome": delivery.outcome,
                "traded": delivery.traded,
                "at": delivery.at.isoformat(),
            }
            for delivery in self._market.desk.journal
            if wanted is None or delivery.request_id == wanted
        ]
        return json_answer({"deliveries": rows})

    async def state(self, request: web.Request) -> web.Response:
        """Tell weather, price, faults and counters."""
        return json_answer(self._market.state())

    async def change(self, request: web.Request) -> web.Response:
        """Change settings; an unknown name or a bad value is a 400, and those before it hold."""
        told = read_json(await request.read())
        if not isinstance(told, dict):
            raise BadJsonError("settings are a JSON object")
        if unknown := set(told) - set(self._settings):
            raise BadJsonError(f"unknown settings: {', '.join(sorted(unknown))}")
        for name, value in told.items():
            self._settings[name](value)
        return json_answer(self._market.state())

    async def script_price(self, request: web.Request) -> web.Response:
        """Follow a fixed price script from now on, and publish its first step at once."""
        steps = read_script(read_json(await request.read()))
        self._market.change_prices(ScriptedPrices(steps))
        return json_answer(await self._market.publish_now())

    async def publish(self, request: web.Request) -> web.Response:
        """Let one interval pass and publish, even while publishing is paused."""
        self._market.tick()
        return json_answer(await self._market.publish_now())

    def _crash(self, told: Any) -> None:
        given = _members(told, {"to", "over"})
        to = read_decimal(given.get("to", CRASH_TO), "to")
        if to <= 0:
            raise BadJsonError("a crash goes to a share above zero")
        self._market.scenario_prices().crash(to, _seconds(given.get("over", CRASH_OVER_SECONDS), "over"))

    def _recover(self, told: Any) -> None:
        given = _members(told, {"over"})
        over = _seconds(given.get("over", _RECOVER_OVER_SECONDS), "over")
        self._market.scenario_prices().recover(over)

    def _move(self, told: Any) -> None:
        given = _members(told, {"to", "over"})
        to = read_decimal(given.get("to"), "to")
        if to <= 0:
            raise BadJsonError("a price is above zero")
        self._market.scenario_prices().move(to, _seconds(given.get("over", Decimal(0)), "over"))

    def _set_total_share(self, told: Any) -> None:
        self._fault_share = _share(told, "faultShare")
        self._set_shares(shares_in_total(self._fault_share, self._fault_kinds))

    def _set_kinds(self, told: Any) -> None:
        kinds = tuple(Kind(name) for name in _list(told, "faultKinds"))
        if not kinds:
            raise BadJsonError("faultKinds names at least one kind")
        self._fault_kinds = kinds
        self._set_shares(shares_in_total(self._fault_share, kinds))

    def _set_shares(self, shares: dict[Kind, Decimal]) -> None:
        self._market.desk.faults.set_shares(shares)

    def _set_each_share(self, told: Any) -> None:
        self._set_shares({Kind(name): _share(value, name) for name, value in _members(told).items()})

    def _set_slow_seconds(self, told: Any) -> None:
        ends = [float(_seconds(end, "slowSeconds")) for end in _list(told, "slowSeconds")]
        if len(ends) != 2 or ends[0] > ends[1]:
            raise BadJsonError("slowSeconds are the shortest and the longest")
        self._market.desk.faults.slow_seconds = (ends[0], ends[1])

    def _set_latency(self, told: Any) -> None:
        self._market.desk.latency_seconds = float(_seconds(told, "latencyMs")) / 1000

    def _set_interval(self, told: Any) -> None:
        seconds = _seconds(told, "interval")
        if seconds < Decimal("0.01"):
            raise BadJsonError("interval is at least 0.01")
        self._market.interval_seconds = seconds

    def _set_partial_share(self, told: Any) -> None:
        self._market.exchange.partial_share = _share(told, "partialShare")

    def _set_price_fault_share(self, told: Any) -> None:
        self._market.price_fault_share = _share(told, "priceFaultShare")

    def _set_other_item_share(self, told: Any) -> None:
        self._market.other_item_share = _share(told, "otherItemShare")

    def _set_impact(self, told: Any) -> None:
        self._market.exchange.impact.per_unit = _share(told, "impactPerUnit")

    def _set_paused(self, told: Any) -> None:
        self._market.paused = _flag(told, "paused")

    def _set_down(self, told: Any) -> None:
        self._market.desk.down = _flag(told, "down")


def _order_row(trade: Trade, deliveries: int) -> dict[str, Any]:
    return {
        "requestId": trade.request_id,
        "orderId": trade.order_id,
        "ordered": plain(trade.ordered),
        "units": plain(trade.units),
        "proceeds": plain(trade.proceeds),
        "tradedAt": trade.traded_at.isoformat(),
        "deliveries": deliveries,
    }


def _members(told: Any, known: set[str] | None = None) -> dict[str, Any]:
    if told is True:
        return {}
    if not isinstance(told, dict) or (known is not None and not set(told) <= known):
        raise BadJsonError("an object with " + (", ".join(sorted(known)) if known else "names"))
    return told


def _list(told: Any, name: str) -> list[Any]:
    if not isinstance(told, list):
        raise BadJsonError(f"{name} is a list")
    return told


def _faults(told: Any) -> list[Fault | None]:
    return [Fault.parse(text) for text in _list(told, "faults")]


def _flag(told: Any, name: str) -> bool:
    if not isinstance(told, bool):
        raise BadJsonError(f"{name} is true or false")
    return told


def _share(told: Any, name: str) -> Decimal:
    share = read_decimal(told, name)
    if not 0 <= share <= 1:
        raise BadJsonError(f"{name} is from 0 to 1")
    return share


def _seconds(told: Any, name: str) -> Decimal:
    seconds = read_decimal(told, name)
    if not 0 <= seconds <= _LONGEST_DELAY_SECONDS:
        raise BadJsonError(f"{name} is from 0 to {_LONGEST_DELAY_SECONDS}")
    return seconds
