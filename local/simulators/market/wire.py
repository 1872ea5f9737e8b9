"""What every market's wire format implements, and the orders and trades of the exchange behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from local.simulators.exact import BadJsonError, read_json
from local.simulators.market.makers import Makers
from local.simulators.market.order_book import UNITS_STEP, Levels

LONGEST_REQUEST_ID = 128
_MOST_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Order:
    """A request to sell so many units."""

    request_id: str
    units: Decimal


@dataclass(frozen=True, slots=True)
class Trade:
    """What an order traded: units, and their total in GC."""

    order_id: str
    request_id: str
    ordered: Decimal
    units: Decimal
    proceeds: Decimal
    traded_at: datetime


class BadOrderError(ValueError):
    """The request breaks the contract; nothing is traded."""

    def __init__(self, reason: str, request_id: str | None = None) -> None:
        """Keep the requestId where there was one to read."""
        super().__init__(reason)
        self.request_id = request_id


class WireFormat(Protocol):
    """The schemas of one market: its price event and its order endpoint."""

    @property
    def name(self) -> str:
        """The market's name on command lines and in URLs."""

    @property
    def topic(self) -> str:
        """The SNS topic of its price events."""

    @property
    def order_path(self) -> str:
        """Where it takes orders."""

    @property
    def makers(self) -> Makers:
        """Its market makers: their spread and depth."""

    @property
    def order_id_field(self) -> str:
        """The field of a receipt that has the market's own id of the order."""

    @property
    def units_field(self) -> str:
        """The field of a receipt that says how many units were traded."""

    @property
    def proceeds_field(self) -> str:
        """The field of a receipt that says how many GC were paid for them."""

    def read_order(self, raw: bytes) -> Order:
        """Read an order request; raises BadOrderError."""

    def receipt(self, trade: Trade) -> dict[str, Any]:
        """Return the answer to an order that was traded."""

    def refusal(self, reason: str, request_id: str | None) -> dict[str, Any]:
        """Return the answer to an order that is refused, with its requestId where that is known."""

    def price_event(self, levels: Levels, at: datetime, event_id: str) -> dict[str, Any]:
        """Return the event that publishes prices at an instant (UTC)."""

    def other_event(self, levels: Levels, at: datetime) -> dict[str, Any] | None:
        """Return a price event for something other than Beskar, if this market's topic carries any."""


def read_fields(raw: bytes, fixed: Mapping[str, str], figure: str) -> tuple[str, Any]:
    """Read a request of fixed texts, a requestId and one figure; nothing may be missing or extra.

    Returns the requestId and the figure as it came. Raises BadOrderError.
    """
    try:
        body = read_json(raw)
    except BadJsonError as error:
        raise BadOrderError(str(error)) from error
    if not isinstance(body, dict):
        raise BadOrderError("the request must be a JSON object")
    request_id = body.get("requestId")
    if not isinstance(request_id, str) or not 0 < len(request_id) <= LONGEST_REQUEST_ID:
        raise BadOrderError(f"requestId must be a string of 1 to {LONGEST_REQUEST_ID} characters")
    expected = {"requestId", figure, *fixed}
    if missing := expected - set(body):
        raise BadOrderError(f"missing: {', '.join(sorted(missing))}", request_id)
    if extra := set(body) - expected:
        raise BadOrderError(f"unknown: {', '.join(sorted(extra))}", request_id)
    for name, text in fixed.items():
        if body[name] != text:
            raise BadOrderError(f"{name} must be {text!r}", request_id)
    return request_id, body[figure]


def check_units(units: Decimal, name: str, request_id: str) -> Decimal:
    """Accept a positive number of units of at most 8 decimals; raises BadOrderError for others."""
    if not units.is_finite() or units <= 0:
        raise BadOrderError(f"{name} must be above zero", request_id)
    if units.adjusted() >= _MOST_DIGITS:
        raise BadOrderError(f"{name} must be below 10^{_MOST_DIGITS}", request_id)
    if units != units.quantize(UNITS_STEP):
        raise BadOrderError(f"{name} has at most 8 decimals", request_id)
    return units
