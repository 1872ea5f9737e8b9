"""The API under /simulator/: read what a market did, and change how it behaves."""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from aiohttp import web

from local.simulators.exact import BadJsonError, plain, read_decimal, read_json
from local.simulators.lifecycle import json_answer
from local.simulators.market.fault_plan import shares_in_total
from local.simulators.market.faults import USUAL_KINDS, Fault, Kind
from local.simulators.market.scenario import CRASH_OVER_SECONDS, CRASH_TO, Scenario
from local.simulators.market.script import ScriptedPrices, read_script
from local.simulators.market.statement import as_csv, as_json_lines, read_since
from local.simulators.market.wire import Trade

if TYPE_CHECKING:
    from local.simulators.market.server import MarketServer

_RECOVER_OVER_SECONDS = Decimal(10)
_LONGEST_DELAY_SECONDS = Decimal(3600)


class MarketControl:
    """The handlers of this API, and the settings it can change."""

    def __init__(self, market: "MarketServer") -> None:
        """Control this market."""
        self._market = market
        self._fault_share = sum(market.desk.faults.shares.values(), Decimal(0))
        self._fault_kinds = USUAL_KINDS
        self._settings: dict[str, Callable[[Any], None]] = {
            "scenario": lambda value: market.change_scenario(Scenario(value)),
            "crash": self._crash,
            "recover": self._recover,
            "move": self._move,
            "lie": self._lie,
            "faultShare": self._set_total_share,
            "faultKinds": self._set_kinds,
            "faultShares": self._set_each_share,
            "nextFaults": lambda value: market.desk.faults.program_next(_faults(value)),
            "everyOrderFaults": lambda value: market.desk.faults.program_deliveries(_faults(value)),
            "forgetRefusals": self._forget_refusals,
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
        app.router.add_get("/simulator/statement", self.statement)
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
        """List the order requests that arrived, oldest first, with their outcome; the latest 100,000."""
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

    async def statement(self, request: web.Request) -> web.Response:
        """State every trade once, oldest first, those since an instant if `since` is given; CSV or JSON lines."""
        since = read_since(request.query.get("since"))
        trades = [trade for trade in self._market.exchange.trades.values() if since is None or trade.traded_at >= since]
        match request.query.get("format", "csv"):
            case "csv":
                return web.Response(text=as_csv(trades), content_type="text/csv")
            case "jsonl":
                return web.Response(text=as_json_lines(trades), content_type="application/jsonl")
        raise ValueError("a statement has the format csv or jsonl")

    async def state(self, request: web.Request) -> web.Response:
        """Return scenario, price, faults and counters."""
        return json_answer(self._market.state())

    async def change(self, request: web.Request) -> web.Response:
        """Change settings; an unknown name or a bad value is a 400, and those before it hold."""
        changes = read_json(await request.read())
        if not isinstance(changes, dict):
            raise BadJsonError("settings are a JSON object")
        if unknown := set(changes) - set(self._settings):
            raise BadJsonError(f"unknown settings: {', '.join(sorted(unknown))}")
        for name, value in changes.items():
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

    def _crash(self, value: Any) -> None:
        given = _members(value, {"to", "over"})
        to = read_decimal(given.get("to", CRASH_TO), "to")
        if to <= 0:
            raise BadJsonError("a crash goes to a share above zero")
        self._market.scenario_prices().crash(to, _seconds(given.get("over", CRASH_OVER_SECONDS), "over"))

    def _recover(self, value: Any) -> None:
        given = _members(value, {"over"})
        over = _seconds(given.get("over", _RECOVER_OVER_SECONDS), "over")
        self._market.scenario_prices().recover(over)

    def _move(self, value: Any) -> None:
        given = _members(value, {"to", "over"})
        to = read_decimal(given.get("to"), "to")
        if to <= 0:
            raise BadJsonError("a price is above zero")
        self._market.scenario_prices().move(to, _seconds(given.get("over", Decimal(0)), "over"))

    def _lie(self, value: Any) -> None:
        given = _members(value, {"price", "for"})
        levels = read_script(given.get("price"))[0]
        self._market.exchange.lie(levels, _seconds(given.get("for"), "for"))

    def _set_total_share(self, value: Any) -> None:
        self._fault_share = _share(value, "faultShare")
        self._set_shares(shares_in_total(self._fault_share, self._fault_kinds))

    def _set_kinds(self, value: Any) -> None:
        kinds = tuple(Kind(name) for name in _list(value, "faultKinds"))
        if not kinds:
            raise BadJsonError("faultKinds names at least one kind")
        self._fault_kinds = kinds
        self._set_shares(shares_in_total(self._fault_share, kinds))

    def _set_shares(self, shares: dict[Kind, Decimal]) -> None:
        self._market.desk.faults.set_shares(shares)

    def _set_each_share(self, value: Any) -> None:
        self._set_shares({Kind(name): _share(share, name) for name, share in _members(value).items()})

    def _forget_refusals(self, value: Any) -> None:
        if _flag(value, "forgetRefusals"):
            self._market.desk.forget_refusals()

    def _set_slow_seconds(self, value: Any) -> None:
        ends = [float(_seconds(end, "slowSeconds")) for end in _list(value, "slowSeconds")]
        if len(ends) != 2 or ends[0] > ends[1]:
            raise BadJsonError("slowSeconds are the shortest and the longest")
        self._market.desk.faults.slow_seconds = (ends[0], ends[1])

    def _set_latency(self, value: Any) -> None:
        self._market.desk.latency_seconds = float(_seconds(value, "latencyMs")) / 1000

    def _set_interval(self, value: Any) -> None:
        seconds = _seconds(value, "interval")
        if seconds < Decimal("0.01"):
            raise BadJsonError("interval is at least 0.01")
        self._market.interval_seconds = seconds

    def _set_partial_share(self, value: Any) -> None:
        self._market.exchange.partial_share = _share(value, "partialShare")

    def _set_price_fault_share(self, value: Any) -> None:
        self._market.price_fault_share = _share(value, "priceFaultShare")

    def _set_other_item_share(self, value: Any) -> None:
        self._market.other_item_share = _share(value, "otherItemShare")

    def _set_impact(self, value: Any) -> None:
        self._market.exchange.impact.per_unit = _share(value, "impactPerUnit")

    def _set_paused(self, value: Any) -> None:
        self._market.paused = _flag(value, "paused")

    def _set_down(self, value: Any) -> None:
        self._market.desk.down = _flag(value, "down")


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


def _members(value: Any, known: set[str] | None = None) -> dict[str, Any]:
    if value is True:
        return {}
    if not isinstance(value, dict) or (known is not None and not set(value) <= known):
        raise BadJsonError("an object with " + (", ".join(sorted(known)) if known else "names"))
    return value


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise BadJsonError(f"{name} is a list")
    return value


def _faults(value: Any) -> list[Fault | None]:
    return [Fault.parse(text) for text in _list(value, "faults")]


def _flag(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise BadJsonError(f"{name} is true or false")
    return value


def _share(value: Any, name: str) -> Decimal:
    share = read_decimal(value, name)
    if not 0 <= share <= 1:
        raise BadJsonError(f"{name} is from 0 to 1")
    return share


def _seconds(value: Any, name: str) -> Decimal:
    seconds = read_decimal(value, name)
    if not 0 <= seconds <= _LONGEST_DELAY_SECONDS:
        raise BadJsonError(f"{name} is from 0 to {_LONGEST_DELAY_SECONDS}")
    return seconds
