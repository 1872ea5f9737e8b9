"""What a replay says in sentences."""

from decimal import Decimal

from desk.replay import words
from desk.replay.report import WHERE


def totals(**loans):
    return {where: {"loans": loans.get(where, 0), "owed": str(loans.get(where, 0) * 1000)} for where in WHERE}


def said(sold, called):
    return words.sentences({"totals": {"sold": sold, "called": called}})


def test_terms_are_said_in_percent():
    assert words.terms({"liquidation_ltv": Decimal("0.750"), "margin_call_clear_ltv": Decimal("0.555")}) == (
        "Liquidation at 75 %, cleared below 55.5 %"
    )
    assert words.terms({}) == "The same terms"


def test_differences_are_counted_with_what_is_owed():
    sold, called = said(totals(onlyReplay=1200, onlyReality=2, same=5, otherInstant=1), totals(same=3))
    assert sold == (
        "Sold: 1,200 that were not sold would have been, owing 1,200,000.00 GC; 2 that were would not, owing 2,000.00"
        " GC; 6 would have been in any case, 1 of them at another instant."
    )
    assert called == "Called: all 3 as they were, at the same instants."


def test_no_difference_is_said_too():
    assert said(totals(), totals()) == ["Sold: none, as in reality.", "Called: none, as in reality."]
