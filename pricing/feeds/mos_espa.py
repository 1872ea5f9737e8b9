"""Mos Espa, Tatooine: how its price events are read."""

from coruscant import money
from pricing.feeds import event as fields
from pricing.feeds import rfc3339
from pricing.feeds.event import Basis, ParsedQuote, Skipped, Unreadable
from pricing.quotes import Level

TOPIC = "tatooine-mos-espa-prices"


def parse(body: str, basis: Basis = "unit") -> ParsedQuote | Skipped:
    """Read `{eventId, asset, currency, timestamp, levels: [{quantity, buy, sell}]}`; prices are decimal strings.

    This feed carries Beskar in GC only, so anything else is Unreadable and not Skipped. Raises Unreadable.
    """
    event = fields.read_object(body)
    event_id = fields.text(event, "eventId")
    for key, expected in (("asset", "BESKAR"), ("currency", "GC")):
        if event.get(key) != expected:
            raise Unreadable(f"{key} must be {expected}")
    market_time = fields.bounded_time(rfc3339.seconds(fields.text(event, "timestamp")))
    levels = fields.objects(event, "levels")
    if not levels:
        raise Unreadable("levels must not be empty")
    return ParsedQuote(
        event_id=event_id,
        market_time=market_time,
        sell=fields.curve("sell", [_level(level, "sell", basis) for level in levels]),
        buy=fields.curve("buy", [_level(level, "buy", basis) for level in levels]),
    )


def _level(level: dict[str, object], side: str, basis: Basis) -> Level:
    units = fields.quantity(level, "quantity")
    try:
        price = money.parse_amount(level.get(side))
    except money.NotAnAmount as error:
        raise Unreadable(f"the {side} price of {units} units {error}") from None
    return Level(units, fields.per_unit(price, units, basis))
