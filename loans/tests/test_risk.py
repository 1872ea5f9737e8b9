"""The rules of LTV: the worked example, the edges, and exactness against fractions."""

from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from coruscant import money
from coruscant.tests.exactness import proof
from loans import risk
from loans.risk import Thresholds

RULES = Thresholds(
    activation_ltv=Decimal("0.50"),
    margin_call_ltv=Decimal("0.70"),
    margin_call_clear_ltv=Decimal("0.60"),
    liquidation_ltv=Decimal("0.80"),
)
THOUSAND, FORTY = Decimal(1000), Decimal(40)
TINY = Decimal("1e-24")


def test_worked_example_is_half_at_fifty():
    assert risk.ltv(THOUSAND, FORTY, Decimal(50)) == Decimal("0.5")
    assert risk.may_activate(THOUSAND, FORTY, Decimal(50), RULES)
    assert not risk.may_activate(THOUSAND, FORTY, Decimal(50) - TINY, RULES)


def test_worked_example_must_be_liquidated_at_exactly_eighty_percent():
    price = Decimal("31.25")
    assert risk.ltv(THOUSAND, FORTY, price) == Decimal("0.8")
    assert risk.must_liquidate(THOUSAND, FORTY, price, RULES)
    assert not risk.must_liquidate(THOUSAND, FORTY, price + TINY, RULES)


def test_a_margin_call_begins_at_seventy_and_ends_below_sixty():
    collateral = Decimal(1000)
    assert risk.must_call(Decimal(700), collateral, Decimal(1), RULES)
    assert not risk.must_call(Decimal(700), collateral, Decimal(1) + TINY, RULES)
    assert not risk.may_clear(Decimal(600), collateral, Decimal(1), RULES)
    assert risk.may_clear(Decimal(600), collateral, Decimal(1) + TINY, RULES)


def test_notice_is_due_from_its_ltv_to_below_the_margin_call_and_never_where_it_would_end():
    def due(balance, notice_ltv="0.65", price=Decimal(1)):
        return risk.must_notice(Decimal(balance), Decimal(1000), price, Decimal(notice_ltv), RULES)

    assert due(650)
    assert not due(650, price=Decimal(1) + TINY)
    assert not due(700)
    assert due(700, price=Decimal(1) + TINY)
    assert due(600, "0.5")
    assert not due(600, "0.5", price=Decimal(1) + TINY), "it would end at once"
    assert not risk.must_notice(Decimal(0), FORTY, Decimal(1), Decimal("0.65"), RULES)
    assert not risk.must_notice(THOUSAND, Decimal(0), Decimal(1), Decimal("0.65"), RULES), "the call is due"


def test_a_debt_without_collateral_is_infinitely_risky():
    nothing, price = Decimal(0), Decimal(50)
    assert risk.ltv(THOUSAND, nothing, price) is None
    assert risk.must_liquidate(THOUSAND, nothing, price, RULES)
    assert risk.must_call(THOUSAND, nothing, price, RULES)
    assert not risk.may_activate(THOUSAND, nothing, price, RULES)
    assert not risk.may_clear(THOUSAND, nothing, price, RULES)


def test_no_debt_is_no_risk():
    assert not risk.must_liquidate(Decimal(0), Decimal(0), Decimal(50), RULES)
    assert not risk.must_call(Decimal(0), FORTY, Decimal(50), RULES)
    assert risk.may_clear(Decimal(0), Decimal(0), Decimal(50), RULES)


def test_required_collateral_of_the_worked_example():
    assert risk.required_collateral(THOUSAND, Decimal(0), Decimal(50), RULES) == FORTY
    assert risk.required_collateral(THOUSAND, Decimal(15), Decimal(50), RULES) == Decimal(25)
    assert risk.required_collateral(THOUSAND, Decimal(41), Decimal(50), RULES) == 0


def test_required_collateral_is_rounded_up():
    needed = risk.required_collateral(Decimal(1), Decimal(0), Decimal(3), RULES)
    assert needed == Decimal("0.666666666666666666666667")


amounts = st.integers(min_value=1, max_value=10**44 - 1).map(lambda n: Decimal(n).scaleb(-24, Context(prec=60)))
near = st.integers(min_value=-2, max_value=2)
ratios = st.sampled_from(["0.5", "0.6", "0.7", "0.8", "0.333333333333", "1"]).map(Decimal)


def rules_at(ratio: Decimal) -> Thresholds:
    return Thresholds(activation_ltv=ratio, margin_call_ltv=ratio, margin_call_clear_ltv=ratio, liquidation_ltv=ratio)


def stored_debt_per_unit(balance: Decimal, collateral: Decimal) -> Decimal:
    """What the database's generated column holds: the quotient rounded half away from zero to 24 decimals."""
    wide = Context(prec=300)
    return wide.divide(balance, collateral).quantize(TINY, rounding=ROUND_HALF_UP, context=wide)


def at_the_edge(balance: Decimal, collateral: Decimal, ratio: Decimal, steps: int) -> Decimal:
    """A price within a few last digits of the one where LTV is exactly `ratio`."""
    wide = Context(prec=300)
    price = wide.divide(balance, wide.multiply(collateral, ratio)).quantize(TINY, context=wide)
    return max(TINY, wide.add(price, Decimal(steps) * TINY))


@proof(200)
@given(balance=amounts, collateral=amounts, ratio=ratios, steps=near)
def test_every_rule_is_exact_at_any_size(balance, collateral, ratio, steps):
    price = at_the_edge(balance, collateral, ratio, steps)
    if price >= Decimal(10) ** 20:
        return
    truth = Fraction(balance) / (Fraction(collateral) * Fraction(price))
    rules, threshold = rules_at(ratio), Fraction(ratio)
    assert risk.must_liquidate(balance, collateral, price, rules) == (truth >= threshold)
    assert risk.must_call(balance, collateral, price, rules) == (truth >= threshold)
    assert risk.may_activate(balance, collateral, price, rules) == (truth <= threshold)
    assert risk.may_clear(balance, collateral, price, rules) == (truth < threshold)


@st.composite
def exactly_at_a_threshold(draw):
    """A balance of up to 44 digits, units, a price and a ratio, with LTV exactly at the ratio."""
    ratio = draw(ratios.filter(lambda ratio: ratio.as_tuple().exponent >= -1))
    decimals = draw(st.integers(0, 23))
    collateral = draw(st.integers(1, 10 ** draw(st.integers(1, 21))).map(lambda n: Decimal(n).scaleb(-decimals)))
    price = draw(st.integers(1, 10 ** draw(st.integers(1, 21))).map(lambda n: Decimal(n).scaleb(decimals - 23)))
    balance = Context(prec=120).multiply(Context(prec=120).multiply(collateral, price), ratio)
    assume(TINY < balance < Decimal(10) ** 20 - 1 and TINY < price < Decimal(10) ** 20 and collateral > TINY)
    return balance, collateral, price, ratio


@proof(200)
@given(exactly_at_a_threshold())
def test_every_rule_is_exact_at_its_threshold_and_one_last_digit_on_either_side(figures):
    balance, collateral, price, ratio = figures
    wide, rules = Context(prec=120), rules_at(ratio)
    more, less = (
        (balance, wide.subtract(collateral, TINY), price),
        (wide.add(balance, TINY), collateral, price),
        (balance, collateral, wide.subtract(price, TINY)),
    ), (
        (balance, wide.add(collateral, TINY), price),
        (wide.subtract(balance, TINY), collateral, price),
        (balance, collateral, wide.add(price, TINY)),
    )  # fmt: skip
    assert Fraction(balance) == Fraction(ratio) * Fraction(collateral) * Fraction(price)
    at_it = (balance, collateral, price)
    for rule, above, exactly, below in (
        (risk.must_liquidate, True, True, False),
        (risk.must_call, True, True, False),
        (risk.may_activate, False, True, True),
        (risk.may_clear, False, False, True),
    ):
        assert rule(*at_it, rules) is exactly
        assert [rule(*figures, rules) for figures in more] == [above] * 3
        assert [rule(*figures, rules) for figures in less] == [below] * 3


@proof(200)
@given(balance=amounts, collateral=amounts, ratio=ratios, steps=near)
def test_the_search_never_misses_a_loan_that_the_rule_finds(balance, collateral, ratio, steps):
    price = at_the_edge(balance, collateral, ratio, steps)
    stored = stored_debt_per_unit(balance, collateral)
    rules = rules_at(ratio)
    if risk.must_liquidate(balance, collateral, price, rules):
        assert stored >= risk.search_floor(ratio, price)
    if risk.may_activate(balance, collateral, price, rules):
        assert stored <= risk.search_ceiling(ratio, price)


def test_a_bound_of_the_search_between_two_last_digits_is_rounded_away_from_the_loan():
    """One digit more than the column holds, at the threshold exactly: rarely generated, and what the bounds are for."""
    price, collateral = 1 + 3 * TINY, Decimal(10)
    balance = 8 + 24 * TINY
    assert risk.must_liquidate(balance, collateral, price, RULES)
    assert (
        stored_debt_per_unit(balance, collateral)
        == risk.search_floor(Decimal("0.8"), price)
        == Decimal("0.8") + 2 * TINY
    )
    balance = 5 + 15 * TINY
    assert risk.may_activate(balance, collateral, price, RULES)
    assert (
        stored_debt_per_unit(balance, collateral)
        == risk.search_ceiling(Decimal("0.5"), price)
        == Decimal("0.5") + 2 * TINY
    )


@proof(200)
@given(balance=amounts, collateral=amounts, price=amounts)
def test_required_collateral_is_enough_and_no_step_more(balance, collateral, price):
    missing = risk.required_collateral(balance, collateral, price, RULES)
    bound = Fraction(balance) / (Fraction(RULES.activation_ltv) * Fraction(price))
    after = Fraction(collateral) + Fraction(missing)
    assert after >= bound
    if missing:
        assert after - Fraction(TINY) < bound


@proof(200)
@given(balance=amounts, collateral=amounts)
def test_a_loan_is_called_and_liquidated_at_its_critical_prices_and_not_one_last_digit_above(balance, collateral):
    prices = risk.critical_prices(balance, collateral, RULES)
    for price, rule in ((prices.margin_call, risk.must_call), (prices.liquidation, risk.must_liquidate)):
        with money.exact():
            above = price + TINY
        assert rule(balance, collateral, price, RULES)
        assert not rule(balance, collateral, above, RULES)


def test_without_collateral_or_debt_no_price_is_critical():
    assert risk.critical_prices(THOUSAND, Decimal(0), RULES) is None
    assert risk.critical_prices(Decimal(0), FORTY, RULES) is None


@pytest.mark.parametrize("price", ["0.000000000000000000000001", "99999999999999999999"])
def test_extreme_prices_are_computed(price):
    assert risk.ltv(THOUSAND, FORTY, Decimal(price)) is not None
    assert risk.required_collateral(THOUSAND, FORTY, Decimal(price), RULES) >= 0
