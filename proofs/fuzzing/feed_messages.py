"""One queue message, checked: a quote that says what the body says, a skipped item, or unreadable with a reason."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from coruscant import money
from pricing.feeds import FEEDS
from pricing.feeds.event import QUANTITIES, Basis, ParsedQuote, Skipped, Unreadable
from pricing.ingest.message import read
from pricing.markets import Market
from pricing.quotes import Level

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
_SENT = str(int(NOW.timestamp() * 1000) - 500)
#: A reason is for a person to read, and stands in a row.
_LONGEST_REASON = 2000


class Unsound(AssertionError):
    """What was read is not what was sent."""


def message(body: str) -> dict[str, Any]:
    """A message as SQS gives it."""
    return {"MessageId": "m-1", "Body": body, "Attributes": {"SentTimestamp": _SENT}}


def check(market: Market, body: str, basis: Basis) -> str:
    """Read a message; returns its outcome. Raises Unsound, and whatever the service raises, which it must not."""
    received = read(FEEDS[market], basis, message(body), NOW)
    content = received.content
    if isinstance(content, Unreadable):
        _demand(0 < len(str(content)) <= _LONGEST_REASON, f"the reason has {len(str(content))} characters")
        return "unreadable"
    if isinstance(content, Skipped):
        _demand(market is Market.BLACK_SPIRE_OUTPOST, "Mos Espa carries one item only")
        _demand(content.item == _event(body)["item"] != "STEEL:MANDALORIAN", "another item was skipped")
        _storable(content.item)
        return "skipped"
    _demand(received.sent_at is not None and received.message_id == "m-1", "a quote without id or instant")
    _bounded(content)
    if market is Market.MOS_ESPA:
        _says_mos_espa(content, _event(body), basis)
    else:
        _says_black_spire(content, _event(body), basis)
    return "quote"


def _bounded(quote: ParsedQuote) -> None:
    _demand(bool(quote.sell), "no sell side")
    _demand(abs(quote.market_time) < Decimal(10) ** 28, "a time that cannot be stored")
    _demand(quote.market_time == money.round_down(quote.market_time, 12), "a time of too many decimals")
    for side in (quote.sell, quote.buy):
        quantities = [level.quantity for level in side]
        _demand(quantities == sorted(set(quantities)), "levels out of order, or twice")
        for level in side:
            _demand(level.quantity in QUANTITIES, f"a level of {level.quantity}")
            _demand(level.unit_price > 0 and money.fits(level.unit_price), f"a price of {level.unit_price}")


def _event(body: str) -> dict[str, Any]:
    """The market's body as the standard library reads it, numbers as text: a second opinion."""
    found = json.loads(body, parse_float=str, parse_int=str)
    if found.get("Type") == "Notification" and "TopicArn" in found:
        found = json.loads(found["Message"], parse_float=str, parse_int=str)
    _demand(isinstance(found, dict), "not an object")
    return dict(found)


def _says_mos_espa(quote: ParsedQuote, event: dict[str, Any], basis: Basis) -> None:
    _demand(quote.event_id == event["eventId"] and bool(quote.event_id), "another event id")
    _storable(str(quote.event_id))
    _demand((event["asset"], event["currency"]) == ("BESKAR", "GC"), "another asset or currency")
    for side, name in ((quote.sell, "sell"), (quote.buy, "buy")):
        _prices(side, [(level["quantity"], level[name]) for level in event["levels"]], basis)


def _says_black_spire(quote: ParsedQuote, event: dict[str, Any], basis: Basis) -> None:
    _demand(quote.event_id is None, "an event id from nowhere")
    _demand(event["item"] == "STEEL:MANDALORIAN", "another item")
    _demand(0 <= Decimal(event["time"]) - quote.market_time < Decimal(10) ** -12, "another time")
    for side, name in ((quote.sell, "sell"), (quote.buy, "buy")):
        _prices(side, [(level["amount"], level["price"]) for level in event[name]], basis)


def _prices(side: tuple[Level, ...], sent: list[tuple[str, str]], basis: Basis) -> None:
    with money.exact():
        read_as = {level.quantity: level.unit_price * (level.quantity if basis == "total" else 1) for level in side}
        _demand(read_as == {Decimal(quantity): Decimal(price) for quantity, price in sent}, f"{read_as} for {sent}")
    _demand(len(side) == len(sent), "a level was dropped")


def _storable(text: str) -> None:
    _demand("\x00" not in text and text.encode("utf-8") != b"", "text that cannot be stored")


def _demand(true: bool, what: str) -> None:
    if not true:
        raise Unsound(what)
