"""Black Spire Outpost, Batuu: how the events of its price stream are read."""

from decimal import Decimal

from pricing.feeds import event as fields
from pricing.feeds.event import Basis, ParsedQuote, Skipped, Unreadable
from pricing.quotes import Level

BESKAR = "STEEL:MANDALORIAN"
TOPIC = "batuu-black-spire-outpost-price-stream"


def parse(body: str, basis: Basis = "unit") -> ParsedQuote | Skipped:
    """Read `{item, time, buy: [{amount, price}], sell: [...]}`; prices and time are JSON numbers.

    Of another item nothing else is read. There is no event id. The buy side may be empty. Raises Unreadable.
    """
    event = fields.read_object(body)
    item = fields.text(event, "item")
    if item != BESKAR:
        return Skipped(item)
    time = event.get("time")
    if not isinstance(time, Decimal):
        raise Unreadable("time must be a number of seconds")
    sell, buy = fields.objects(event, "sell"), fields.objects(event, "buy")
    if not sell:
        raise Unreadable("sell must not be empty")
    return ParsedQuote(
        event_id=None,
        market_time=fields.bounded_time(time),
        sell=fields.curve("sell", [_level(level, basis) for level in sell]),
        buy=fields.curve("buy", [_level(level, basis) for level in buy]),
    )


def _level(level: dict[str, object], basis: Basis) -> Level:
    units = fields.quantity(level, "amount")
    price = level.get("price")
    if not isinstance(price, Decimal):
        raise Unreadable(f"the price of {units} units must be a number")
    return Level(units, fields.per_unit(price, units, basis))
