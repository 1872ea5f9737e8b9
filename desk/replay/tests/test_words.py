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


def test_a_replay_of_some_loans_says_so_first():
    result = {"totals": {"sold": totals(), "called": totals()}, "complete": False,
              "loans": {"replayed": 400_000, "of": 1_000_000}}  # fmt: skip
    assert words.sentences(result)[0].startswith("There was time for 400,000 of 1,000,000 loans, the oldest ones")


def test_another_guard_says_what_it_would_have_held():
    held = {"jumps": 3, "unconfirmed": 1, "complete": True}
    result = {"totals": {"sold": totals(), "called": totals()}, "held": held}
    assert words.sentences(result)[-1] == "The guard would have held 3 jumps; 1 of them nothing confirmed."
    assert words.terms({"guard_jump": Decimal("0.15")}) == "Jumps held from 15 %"


def test_no_difference_is_said_too():
    assert said(totals(), totals()) == ["Sold: none, as in reality.", "Called: none, as in reality."]
