from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from local.simulators.exact import write_json
from local.simulators.market.faults import Absurd, Mismatch, WrongTotal
from local.simulators.market.mismatches import mismatched_receipt, receipt_of_wrong_total
from local.simulators.market.server import MARKETS
from local.simulators.market.wire import Trade, WireFormat

AT = datetime(2026, 2, 3, 4, 5, 6, 789_000, tzinfo=UTC)
TRADE = Trade("o1", "r1", Decimal(40), Decimal("39.5"), Decimal("1974.000000000001"), AT)


@pytest.mark.parametrize("mismatch", list(Mismatch))
@pytest.mark.parametrize("wire", list(MARKETS.values()))
def test_a_mismatch_changes_one_field_of_the_receipt(wire: WireFormat, mismatch: Mismatch) -> None:
    right, wrong = wire.receipt(TRADE), mismatched_receipt(wire, TRADE, mismatch)
    differing = {name for name in right if wrong.get(name) != right[name]}
    assert len(differing) == 1
    assert write_json(wrong) != write_json(right)


@pytest.mark.parametrize(
    ("variant", "total"),
    [
        (WrongTotal.UNIT_PRICE, "50"),
        (WrongTotal.MULTIPLIED_TWICE, "80000"),
        (Absurd.TINY, "0.00000001"),
        (Absurd.HUGE, "1000000000000000"),
    ],
)
@pytest.mark.parametrize("wire", list(MARKETS.values()))
def test_a_wrong_total_is_the_only_thing_wrong(wire: WireFormat, variant: WrongTotal | Absurd, total: str) -> None:
    trade = replace(TRADE, units=Decimal(40), proceeds=Decimal(2000))
    assert receipt_of_wrong_total(wire, trade, variant) == wire.receipt(replace(trade, proceeds=Decimal(total)))


@pytest.mark.parametrize("units", ["9", "1", "0.11"])
def test_a_total_that_would_hardly_be_wrong_is_right(units: str) -> None:
    trade = replace(TRADE, units=Decimal(units), proceeds=Decimal(units) * 100)
    for wire in MARKETS.values():
        for variant in WrongTotal:
            assert receipt_of_wrong_total(wire, trade, variant) == wire.receipt(trade)


@pytest.mark.parametrize("variant", [*WrongTotal, *Absurd])
def test_where_next_to_nothing_was_paid_the_total_is_right(variant: WrongTotal | Absurd) -> None:
    trade = replace(TRADE, units=Decimal(40), proceeds=Decimal("9.99"))
    for wire in MARKETS.values():
        assert receipt_of_wrong_total(wire, trade, variant) == wire.receipt(trade)
