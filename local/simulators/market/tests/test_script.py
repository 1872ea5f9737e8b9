from decimal import Decimal
from typing import Any

import pytest

from local.simulators.exact import BadJsonError
from local.simulators.market.script import ScriptedPrices, read_script

SECOND = Decimal(1)


def test_a_script_goes_step_by_step_and_its_last_step_stays() -> None:
    script = ScriptedPrices(read_script(["50", {"sell": {"1": "40", "100": Decimal("39.5")}, "ticks": Decimal(2)}]))
    played = [script.next(SECOND).sell for _ in range(5)]
    assert played[0] == dict.fromkeys((1, 10, 50, 100), Decimal(50))
    assert played[1:] == [{1: Decimal(40), 100: Decimal("39.5")}] * 4


def test_one_price_alone_is_a_script() -> None:
    assert read_script(Decimal("31.25"))[0].sell[100] == Decimal("31.25")


@pytest.mark.parametrize(
    "script",
    [
        [],
        None,
        {},
        "fifty",
        "NaN",
        "0",
        "-1",
        True,
        {"sell": {}},
        {"sell": {"2": "50"}},
        {"sell": "50", "bogus": 1},
        {"sell": "50", "ticks": Decimal("1.5")},
        {"sell": {"1": "50", "10": "4"}},
        "0.000000001",
    ],
)
def test_a_script_that_is_not_valid_is_refused(script: Any) -> None:
    with pytest.raises(BadJsonError):
        read_script(script)
