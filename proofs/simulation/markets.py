"""The simulated markets: they keep logs of their own, and answer badly."""

import json
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Any

from liquidation.venues.http import Response
from liquidation.verdicts import NeverSent, Unclear
from pricing.markets import Market
from proofs.simulation.actor import current_actor
from proofs.simulation.world import World

_GRID = Decimal(10) ** -8
_CENT = Decimal(10) ** -6

HttpAnswer = Response | NeverSent | Unclear


@dataclass(frozen=True, slots=True)
class Trade:
    """What the market did trade, whatever it says of it."""

    units: Decimal
    proceeds: Decimal
    order_id: str


class SimulatedMarket:
    """One market: its price, its order log, and how it answers."""

    def __init__(self, world: World, market: Market) -> None:
        """A market without orders."""
        self.world, self.market = world, market
        self.price = Decimal(50)
        #: Every trade by requestId: the truth that the books are compared with.
        self.trades: dict[str, Trade] = {}
        self.void: set[str] = set()
        self._wrong: dict[str, int] = {}

    def post(self, body: str, timeout_seconds: float) -> HttpAnswer:
        """What stands in for the HTTP call: what the client gets to see."""
        world, actor = self.world, current_actor()
        order: dict[str, Any] = json.loads(body, parse_float=Decimal, parse_int=Decimal)
        began = world.time
        if actor is not None:
            actor.reach(f"market.called {self.market} {self._quantity(order)} units")
        if world.happens("market.never_reached"):
            return NeverSent("connection refused")
        if world.happens("market.request_lost"):
            if world.happens("market.request_late"):
                world.after(world.seconds(1, 60), lambda: self._arrives_late(order))
            return Unclear("time-out", "no answer")
        status, answer = self._decide(order)
        if actor is not None:
            actor.reach("market.decided")
        if (world.time - began).total_seconds() > timeout_seconds or world.happens("market.answer_lost"):
            return Unclear("time-out", "no answer")
        if world.happens("market.answer_broken"):
            return world.choice(
                [Response(200, b"<html>"), Response(status, answer[:-7]), Response(503, b"{}"), Response(200, b"[]")]
            )
        return Response(status, answer)

    def asked_by_a_person(self, request_id: str) -> Trade | None:
        """What became of an order; if nothing was traded, nothing ever will be under this requestId."""
        if request_id not in self.trades:
            self.void.add(request_id)
        return self.trades.get(request_id)

    def _arrives_late(self, order: dict[str, Any]) -> None:
        self.world.log(f"an order arrives late at {self.market}")
        self._decide(order)

    def _decide(self, order: dict[str, Any]) -> tuple[int, bytes]:
        world, request_id = self.world, order["requestId"]
        if request_id in self.trades:
            if world.happens("market.calls_it_a_duplicate"):
                return self._refusal(order, "duplicate request")
            if world.happens("market.refuses_resend"):
                return self._refusal(order, "no buyers")
        else:
            if request_id in self.void:
                return self._refusal(order, "void")
            if world.happens("market.refuses"):
                return self._refusal(order, world.choice(["no buyers", "closed for lunch"]))
            if world.happens("market.fails"):
                return world.choice([500, 502, 503]), b"{}"
            self._trade(order)
        return 200, self._success(order, self.trades[request_id])

    def _trade(self, order: dict[str, Any]) -> None:
        units = self._quantity(order)
        if self.world.happens("market.partial_fill"):
            share = Decimal(self.world.choice(["0.5", "0.1", "0.97"]))
            units = max(_GRID, (units * share).quantize(_GRID, ROUND_DOWN))
        price = self.price
        if self.world.happens("market.price_moved"):
            price *= Decimal(self.world.choice(["0.9", "0.99", "1.02", "1.2"]))
        proceeds = max(_CENT, (units * price).quantize(_CENT, ROUND_DOWN))
        self.trades[order["requestId"]] = Trade(units, proceeds, f"order-{len(self.trades) + 1}")
        self.world.log(f"{self.market} trades {units} units for {proceeds} GC")

    def _success(self, order: dict[str, Any], trade: Trade) -> bytes:
        units, proceeds, echo = f"{trade.units:f}", f"{trade.proceeds:f}", order["requestId"]
        wrong = self._wrong.get(echo, 0)
        if not self.world.faults.calm and (wrong or self.world.happens("market.wrong_figures")):
            wrong = wrong or self.world.choice([1, 2, 3])
            if self.world.random.random() < 0.7:
                self._wrong[echo] = wrong  # it says the same when asked again
            units = f"{trade.units + self._quantity(order):f}" if wrong == 1 else units
            proceeds = "0" if wrong == 2 else proceeds
            echo = "another" if wrong == 3 else echo
            self.world.log("the market answers with wrong figures")
        if self.market is Market.MOS_ESPA:
            return json.dumps(
                {
                    **{key: order[key] for key in ("type", "side", "asset", "currency")},
                    "requestId": echo,
                    "orderId": trade.order_id,
                    "success": True,
                    "quantity": units,
                    "price": proceeds,
                }
            ).encode()
        fixed = json.dumps({"requestId": echo, "id": trade.order_id, "side": order["side"], "item": order["item"]})
        return f'{fixed[:-1]}, "amount": {units}, "totalPrice": {proceeds}}}'.encode()

    def _refusal(self, order: dict[str, Any], reason: str) -> tuple[int, bytes]:
        status = self.world.choice([200, 200, 400, 409])
        if self.market is Market.MOS_ESPA:
            body = {"success": False, "reason": reason, "requestId": order["requestId"]}
        else:
            body = {"error": reason, "requestId": order["requestId"]}
        self.world.log(f"{self.market} refuses: {reason}")
        return status, json.dumps(body).encode()

    def _quantity(self, order: dict[str, Any]) -> Decimal:
        return Decimal(order["quantity" if self.market is Market.MOS_ESPA else "amount"])
