from datetime import UTC, datetime
from decimal import Decimal

import pytest

from local.simulators.exact import write_json
from local.simulators.market.faults import Mismatch
from local.simulators.market.mismatches import mismatched_receipt
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
