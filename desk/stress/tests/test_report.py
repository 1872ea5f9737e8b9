"""A stress test as JSON and CSV has every figure in full."""

import json
from decimal import Decimal

import pytest

from desk.book import snapshot
from desk.stress import report
from desk.stress.selectors import stress_test

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


@pytest.fixture
def found(loan, quote):
    quote("50")
    loan(amount="1440.000000000000000000000001")
    loan(amount="1000")
    snapshot.take()
    return stress_test(fall=Decimal("0.3"))


def test_all_of_it_as_json(found):
    shown = json.loads(json.dumps(report.as_json(found)))
    assert shown["asked"] == {
        "price": "35", "fall": "0.3", "loansCalled": 1, "loansSold": 1, "owed": "1440.000000000000000000000001",
        "collateral": "40", "unitsToSell": "40", "priceReached": "35", "proceeds": "1400",
        "shortfall": "40.000000000000000000000001", "rounds": 1, "secondsOfRounds": 0, "secondsAtMeasuredRate": None,
    }  # fmt: skip
    assert (shown["bestPrice"], shown["curvesAreFresh"], shown["depthRecoverySeconds"]) == ("50", True, 10)
    assert len(shown["curve"]) == 61
    assert shown["worstBorrowers"] == [
        {"borrowerId": "borrower-1", "loans": 1, "owed": "1440.000000000000000000000001",
         "shortfall": "40.000000000000000000000001"},
    ]  # fmt: skip
    assert shown["snapshotTakenAt"] == f"{found.snapshot.taken_at:%Y-%m-%dT%H:%M:%SZ}"


def test_what_was_asked_and_the_curve_as_rows(found):
    heading, asked, *curve = report.rows(found)
    assert heading[:4] == ["exactness", "price", "fall", "loansCalled"]
    assert asked == ["exact", "35", "0.3", "1", "1", "1440.000000000000000000000001", "40", "40", "35", "1400",
                     "40.000000000000000000000001", "1", "0"]  # fmt: skip
    assert len(curve) == 61
    assert {len(row) for row in curve} == {len(heading)}
    assert curve[30][:3] == ["to 1 % of debt per unit", "35", "0.3"]
