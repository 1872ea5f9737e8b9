import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from local.simulators.exact import read_json, write_json
from local.simulators.market.black_spire_outpost import BlackSpireOutpost
from local.simulators.market.mos_espa import MosEspa, tatooine_time
from local.simulators.market.order_book import Levels
from local.simulators.market.server import MARKETS
from local.simulators.market.wire import BadOrderError, Order, Trade, WireFormat

MOS_ESPA_ORDER: dict[str, Any] = {
    "requestId": "r1",
    "type": "market",
    "side": "sell",
    "asset": "BESKAR",
    "currency": "GC",
    "quantity": "40.00000001",
}
BLACK_SPIRE_ORDER: dict[str, Any] = {"requestId": "r1", "side": "SELL", "item": "STEEL:MANDALORIAN", "amount": 40}
AT = datetime(2026, 2, 3, 4, 5, 6, 789_000, tzinfo=UTC)
LEVELS = Levels(sell={1: Decimal("50.10"), 100: Decimal(49)}, buy={1: Decimal("50.5"), 100: Decimal(51)})
TRADE = Trade("o1", "r1", Decimal(40), Decimal("39.5"), Decimal("1974.000000000001"), AT)


def test_mos_espa_takes_an_order_as_contracted() -> None:
    assert MosEspa().read_order(json.dumps(MOS_ESPA_ORDER).encode()) == Order("r1", Decimal("40.00000001"))


def test_black_spire_outpost_takes_an_order_as_contracted() -> None:
    raw = b'{"requestId": "r1", "side": "SELL", "item": "STEEL:MANDALORIAN", "amount": 0.1}'
    assert BlackSpireOutpost().read_order(raw) == Order("r1", Decimal("0.1"))


@pytest.mark.parametrize(
    "change",
    [
        {"requestId": ""},
        {"requestId": 7},
        {"requestId": "r" * 129},
        {"type": "limit"},
        {"side": "buy"},
        {"side": "SELL"},
        {"asset": "GOLD"},
        {"currency": None},
        {"quantity": 40},
        {"quantity": "40.0"},
        {"quantity": "0"},
        {"quantity": "-1"},
        {"quantity": "1e3"},
        {"quantity": "0.000000001"},
        {"quantity": "1" + "0" * 12},
        {"limit": "50"},
    ],
)
def test_mos_espa_refuses_wrong_types_and_extra_meaning(change: dict[str, Any]) -> None:
    with pytest.raises(BadOrderError):
        MosEspa().read_order(json.dumps(MOS_ESPA_ORDER | change).encode())


@pytest.mark.parametrize("amount", ['"40"', "0", "-1", "1e-9", "true", "null", "NaN", "1e400", "[1]"])
def test_black_spire_outpost_refuses_amounts_of_wrong_type_or_size(amount: str) -> None:
    raw = f'{{"requestId": "r1", "side": "SELL", "item": "STEEL:MANDALORIAN", "amount": {amount}}}'
    with pytest.raises(BadOrderError):
        BlackSpireOutpost().read_order(raw.encode())


@pytest.mark.parametrize("missing", list(BLACK_SPIRE_ORDER))
def test_black_spire_outpost_refuses_an_order_with_a_field_missing(missing: str) -> None:
    order = {name: value for name, value in BLACK_SPIRE_ORDER.items() if name != missing}
    with pytest.raises(BadOrderError, match=missing):
        BlackSpireOutpost().read_order(json.dumps(order).encode())


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b'{"requestId": "r1", "requestId": "r2"}'])
@pytest.mark.parametrize("wire", list(MARKETS.values()))
def test_what_is_no_json_object_is_no_order(wire: WireFormat, raw: bytes) -> None:
    with pytest.raises(BadOrderError):
        wire.read_order(raw)


def test_receipts_are_as_contracted() -> None:
    assert json.loads(write_json(MosEspa().receipt(TRADE))) == {
        "orderId": "o1",
        "success": True,
        "type": "market",
        "side": "sell",
        "asset": "BESKAR",
        "currency": "GC",
        "quantity": "39.5",
        "price": "1974.000000000001",
        "requestId": "r1",
    }
    assert read_json(write_json(BlackSpireOutpost().receipt(TRADE))) == {
        "requestId": "r1",
        "id": "o1",
        "side": "SELL",
        "item": "STEEL:MANDALORIAN",
        "amount": Decimal("39.5"),
        "totalPrice": Decimal("1974.000000000001"),
    }


def test_refusals_name_the_request_only_where_it_is_known() -> None:
    assert MosEspa().refusal("no", "r1") == {"success": False, "reason": "no", "requestId": "r1"}
    assert MosEspa().refusal("no", None) == {"success": False, "reason": "no"}
    assert BlackSpireOutpost().refusal("no", "r1") == {"error": "no", "requestId": "r1"}
    assert BlackSpireOutpost().refusal("no", None) == {"error": "no"}


def test_price_events_are_as_contracted() -> None:
    assert write_json(MosEspa().price_event(LEVELS, AT, "e1")) == (
        '{"eventId": "e1", "asset": "BESKAR", "currency": "GC", "timestamp": "0034-02-03T04:05:06.789Z", '
        '"levels": [{"quantity": 1, "buy": "50.5", "sell": "50.1"}, {"quantity": 100, "buy": "51", "sell": "49"}]}'
    )
    assert write_json(BlackSpireOutpost().price_event(LEVELS, AT, "e1")) == (
        '{"item": "STEEL:MANDALORIAN", "time": 1770091506.789, '
        '"buy": [{"amount": 1, "price": 50.5}, {"amount": 100, "price": 51}], '
        '"sell": [{"amount": 1, "price": 50.1}, {"amount": 100, "price": 49}]}'
    )


def test_only_black_spire_outpost_publishes_other_items() -> None:
    other = BlackSpireOutpost().other_event(LEVELS, AT)
    assert other is not None
    assert other["item"] == "STEEL:DURASTEEL"
    assert MosEspa().other_event(LEVELS, AT) is None


def test_tatooine_has_the_leap_days_we_have() -> None:
    assert tatooine_time(datetime(2028, 2, 29, tzinfo=UTC)) == "0036-02-29T00:00:00.000Z"
