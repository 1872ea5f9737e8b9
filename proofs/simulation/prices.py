"""What the markets publish: dips, silences, doubled events, wrong own times and what nobody can read."""

import json
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from pricing.feeds import FEEDS
from pricing.markets import Market
from proofs.simulation.edges import Edges
from proofs.simulation.messaging import Message
from proofs.simulation.world import BEGINNING, World

#: At 50 a loan of 1000 GC is covered by 40 units, at 31.25 it is liquidated.
HIGH = ("50", "60", "55.5", "50", "40")
LOW = ("35", "33.3", "31.25", "31.250001", "29", "24")
#: What is far from any of these.
FALSE = ("5000", "90", "0.5", "12")
_DEPTHS = ((1, Decimal(1)), (10, Decimal("0.99")), (50, Decimal("0.97")), (100, Decimal("0.9")))


@dataclass(frozen=True, slots=True)
class Published:
    """A price event as it was put in the queue; `price` is None for what is no price of ours."""

    market: Market
    message: Message
    event_id: str | None
    own_time: Decimal
    price: Decimal | None
    readable: bool


class Publisher:
    """The price stream of both markets."""

    def __init__(self, world: World, edges: Edges) -> None:
        """Nothing published."""
        self.world, self.edges = world, edges
        self.published: list[Published] = []
        self._events = 0
        #: What a market publishes instead of its price, for a while.
        self._false: dict[Market, Decimal] = {}

    def publish(self, market: Market, price: Decimal) -> None:
        """Publish a price, with whatever goes wrong on the way; orders are traded at it from now on."""
        world, happens = self.world, self.world.happens
        self.edges.markets[market].price = price
        if happens("price.silence"):
            return
        if market in self._false and not happens("price.stays_false"):
            del self._false[market]
        if happens("price.false"):
            self._false[market] = Decimal(world.choice(FALSE))
            self.edges.markets[market].price_was_false = True
        price = self._false.get(market, price)
        self._events += 1
        event_id = f"event-{self._events}" if market is Market.MOS_ESPA else None
        own_time = Decimal(int((world.time - BEGINNING).total_seconds() * 10)) / 10
        if happens("price.own_time_wrong"):
            own_time = world.choice([own_time - 20, Decimal(0), Decimal(10) ** 9])
        readable, shown = True, price
        item = "BESKAR"
        if happens("price.unreadable"):
            readable, item = False, "?"
        elif market is Market.BLACK_SPIRE_OUTPOST and happens("price.of_another_item"):
            item = "STEEL:BANTHA"
        body = _body(market, event_id, own_time, shown, item)
        if world.random.random() < 0.1:  # (a subscription without raw delivery)
            body = json.dumps({"Type": "Notification", "TopicArn": "arn", "Message": body})
        published_price = price if item == "BESKAR" else None

        def deliver() -> None:
            message = self.edges.queues.put(FEEDS[market].queue, body)
            self.published.append(Published(market, message, event_id, own_time, published_price, readable))
            world.log(f"{market} publishes {price if published_price else item} as {message.message_id}")
            world.time += timedelta(milliseconds=1)

        deliver()
        if happens("price.doubled"):
            world.after(world.choice([0.0, world.seconds(0, 20)]), deliver)


def _body(market: Market, event_id: str | None, own_time: Decimal, price: Decimal, item: str) -> str:
    levels = [(quantity, price * share) for quantity, share in _DEPTHS]
    if market is Market.MOS_ESPA:
        seconds = BEGINNING + timedelta(seconds=float(own_time))
        return json.dumps(
            {
                "eventId": event_id,
                "asset": item,
                "currency": "GC",
                "timestamp": seconds.isoformat(),
                "levels": [{"quantity": q, "sell": f"{p:f}", "buy": f"{price * 2 - p:f}"} for q, p in levels],
            }
        )
    name = {"BESKAR": "STEEL:MANDALORIAN", "?": ""}.get(item, item)
    sell = ", ".join(f'{{"amount": {q}, "price": {p:f}}}' for q, p in levels)
    return f'{{"item": "{name}", "time": {own_time:f}, "buy": [], "sell": [{sell}]}}'
