"""The simulated markets: they keep logs of their own, and answer badly."""

import json
from collections import Counter
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from liquidation.venues.http import Response
from liquidation.verdicts import NeverSent, Unclear
from pricing.markets import Market
from proofs.simulation import lies
from proofs.simulation.actor import current_actor
from proofs.simulation.lies import Story, Trade
from proofs.simulation.world import World

_GRID = Decimal(10) ** -8
_CENT = Decimal(10) ** -6
#: So many refusals, and no other answer, may be false: whoever is refused once more has been refused indeed.
_MOST_FALSE_REFUSALS = 2
#: How often a market that has lied about an order tells the same story when it is asked again.
_SAME_STORY = 0.8
#: What a market may say of an order that it has traded, by the fault; those of the second only when asked again.
_STORIES = {
    "liar.refuses_after_trading": Story.REFUSED,
    "liar.refuses_in_doubt": Story.DOUBT,
    "liar.refuses_with_figures": Story.REFUSED_WITH_FIGURES,
    "liar.refuses_oddly": Story.REFUSED_ODDLY,
    "market.wrong_figures": Story.WRONG_FIGURES,
    "liar.wrong_total": Story.WRONG_TOTAL,
}
_STORIES_OF_A_RESEND = {"market.calls_it_a_duplicate": Story.DUPLICATE, "market.refuses_resend": Story.REFUSED}

HttpAnswer = Response | NeverSent | Unclear
Answer = tuple[int, bytes]


class SimulatedMarket:
    """One market: its price, its order log, and how it answers."""

    def __init__(self, world: World, market: Market) -> None:
        """A market without orders."""
        self.world, self.market = world, market
        self.price = Decimal(50)
        #: Whether it has published a false price: any figures may fit that, and none are clearly wrong.
        self.price_was_false = False
        #: Every trade by requestId: the truth that the books are compared with.
        self.trades: dict[str, Trade] = {}
        self.traded_at: dict[str, datetime] = {}
        #: How long after its call is over a request may still arrive, if there is a limit.
        self.arrives_within: timedelta | None = None
        self.void: set[str] = set()
        self._stories: dict[str, tuple[Story, str]] = {}
        self._remembered: dict[str, str] = {}
        self._answers: Counter[str] = Counter()
        self._refusals: Counter[str] = Counter()

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
                world.after(world.seconds(1, 60), lambda: self._arrives_late(order, began, timeout_seconds))
            return Unclear("time-out", "no answer")
        if self._is_too_late(began, timeout_seconds):
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
        if actor is not None and world.happens("market.answer_overtaken"):
            actor.sleep(world.seconds(21, 60))  # the answer has come, and its worker is frozen
        return Response(status, answer)

    def asked_by_a_person(self, request_id: str) -> Trade | None:
        """What became of an order; if nothing was traded, nothing ever will be under this requestId."""
        if request_id not in self.trades:
            self.void.add(request_id)
        return self.trades.get(request_id)

    def statement(self, start: datetime, end: datetime) -> bytes:
        """What it states that it traded from `start` to `end`: every trade of its log, and no other."""
        lines = (
            f"{request_id},{trade.units:f},{trade.proceeds:f},{self.traded_at[request_id].isoformat()}\n"
            for request_id, trade in self.trades.items()
            if start <= self.traded_at[request_id] <= end
        )
        return "".join(["requestId,units,proceeds,time\n", *lines]).encode()

    def _arrives_late(self, order: dict[str, Any], began: datetime, timeout_seconds: float) -> None:
        if not self._is_too_late(began, timeout_seconds):
            self.world.log(f"an order arrives late at {self.market}")
            self._decide(order)

    def _is_too_late(self, began: datetime, timeout_seconds: float) -> bool:
        """Whether a request that was sent then is lost by now."""
        if self.arrives_within is None:
            return False
        return self.world.time > began + timedelta(seconds=timeout_seconds) + self.arrives_within

    def _decide(self, order: dict[str, Any]) -> Answer:
        request_id = order["requestId"]
        if request_id in self.trades:
            answer = self._answer_traded(order, _STORIES_OF_A_RESEND | _STORIES)
        elif refused := self._refuse_or_fail(order):
            answer = refused
        else:
            self._trade(order)
            answer = self._answer_traded(order, _STORIES)
        self._answers[request_id] += 1
        return answer

    def _refuse_or_fail(self, order: dict[str, Any]) -> Answer | None:
        """The answer to an order that is not traded now; None if it is."""
        world, request_id = self.world, order["requestId"]
        if request_id in self.void:
            return self._refuse(order, "void")
        # In the calm somebody has called the market, and it looks again.
        if request_id in self._remembered and not world.faults.calm:
            return self._refuse(order, self._remembered[request_id])
        if world.happens("market.refuses"):
            reason = world.choice(lies.PLAIN)
            if world.happens("liar.remembers_a_refusal"):
                self._remembered[request_id] = reason
            return self._refuse(order, reason)
        if world.happens("liar.trades_nothing"):
            self._refusals[request_id] += 1
            return 200, self._receipt(order, Trade(Decimal(0), Decimal(0), "nothing"), {"requestId": request_id})
        if world.happens("market.fails"):
            return world.choice([500, 502, 503]), b"{}"
        if world.happens("liar.refuses_in_doubt"):
            return 200, self._refusal(order, world.choice(lies.DOUBTS))
        return None

    def _answer_traded(self, order: dict[str, Any], stories: dict[str, Story]) -> Answer:
        """Answer an order that has been traded: with the truth, or with one of these stories."""
        story, variant = self._story(order, stories)
        trade, echo = self.trades[order["requestId"]], order["requestId"]
        match story:
            case Story.REFUSED:
                return self._refuse(order, variant)
            case Story.DOUBT | Story.DUPLICATE:
                return self.world.choice(lies.PLAIN_STATUSES), self._refusal(order, variant)
            case Story.REFUSED_WITH_FIGURES:
                figures = lies.figures(self.world.choice(lies.FIGURES[self.market]), trade)
                return 200, self._refusal(order, variant, figures)
            case Story.REFUSED_ODDLY:
                return self.world.choice(lies.ODD_STATUSES), self._refusal(order, variant)
            case Story.WRONG_FIGURES | Story.WRONG_TOTAL:
                self.world.log(f"the market answers with wrong figures: {variant}")
                echo = "another" if variant == lies.ANOTHER_ORDER else echo
                trade = lies.wrong(variant, trade, ordered=self._quantity(order))
        more = self.world.choice(lies.MORE) if self.world.happens("liar.says_more") else {}
        return 200, self._receipt(order, trade, {**more, "requestId": echo})

    def _story(self, order: dict[str, Any], stories: dict[str, Story]) -> tuple[Story, str]:
        """What it says of an order that it has traded, and how; it may stay with what it has said before."""
        world, request_id = self.world, order["requestId"]
        chosen = None if world.faults.calm else self._stories.get(request_id)
        if chosen is None:
            story = next((story for fault, story in stories.items() if world.happens(fault)), Story.TRUTH)
            chosen = story, world.choice(lies.VARIANTS[story])
            if story is not Story.TRUTH and world.random.random() < _SAME_STORY:
                self._stories[request_id] = chosen
        if chosen[0] is Story.REFUSED and not self._may_hide(request_id):
            return Story.TRUTH, ""
        clear = not self.price_was_false and lies.would_be_clearly_wrong(self.trades[request_id])
        if chosen[0] is Story.WRONG_TOTAL and not clear:
            return Story.TRUTH, ""
        return chosen

    def _may_hide(self, request_id: str) -> bool:
        """Whether it may refuse, with nothing to give it away, an order that it has traded.

        Not where it has refused this order twice and given no other answer: nobody could see through that.
        """
        answers = self._answers[request_id]
        return answers < _MOST_FALSE_REFUSALS or self._refusals[request_id] < answers

    def _trade(self, order: dict[str, Any]) -> None:
        units = self._quantity(order)
        if self.world.happens("market.partial_fill"):
            share = Decimal(self.world.choice(["0.5", "0.1", "0.97"]))
            units = max(_GRID, (units * share).quantize(_GRID, ROUND_DOWN))
        price = self.price
        if self.world.happens("market.price_moved"):
            price *= Decimal(self.world.choice(["0.9", "0.99", "1.02", "1.2"]))
        clear = lies.is_large(units, units * price) and not self.price_was_false
        far_off = clear and self.world.happens("market.trades_far_off")
        if far_off:
            price *= Decimal(self.world.choice(["20", "0.02"]))
        proceeds = max(_CENT, (units * price).quantize(_CENT, ROUND_DOWN))
        self.trades[order["requestId"]] = Trade(units, proceeds, f"order-{len(self.trades) + 1}", far_off)
        self.traded_at[order["requestId"]] = self.world.time
        self.world.log(f"{self.market} trades {units} units for {proceeds} GC")

    def _receipt(self, order: dict[str, Any], trade: Trade, more: dict[str, Any]) -> bytes:
        if self.market is Market.MOS_ESPA:
            echo = {key: order[key] for key in ("type", "side", "asset", "currency")}
            figures = {"quantity": f"{trade.units:f}", "price": f"{trade.proceeds:f}"}
            return json.dumps(echo | {"orderId": trade.order_id, "success": True} | figures | more).encode()
        fixed = json.dumps({"id": trade.order_id, "side": order["side"], "item": order["item"]} | more)
        return f'{fixed[:-1]}, "amount": {trade.units:f}, "totalPrice": {trade.proceeds:f}}}'.encode()

    def _refuse(self, order: dict[str, Any], reason: str) -> Answer:
        """A refusal with nothing to give it away, true or not."""
        self._refusals[order["requestId"]] += 1
        return self.world.choice(lies.PLAIN_STATUSES), self._refusal(order, reason)

    def _refusal(self, order: dict[str, Any], reason: str, more: dict[str, Any] | None = None) -> bytes:
        self.world.log(f"{self.market} refuses: {reason}")
        plain = {"success": False, "reason": reason} if self.market is Market.MOS_ESPA else {"error": reason}
        return json.dumps({**plain, "requestId": order["requestId"], **(more or {})}).encode()

    def _quantity(self, order: dict[str, Any]) -> Decimal:
        return Decimal(order["quantity" if self.market is Market.MOS_ESPA else "amount"])
