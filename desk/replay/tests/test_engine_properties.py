"""The engine against a slow computation of its own: every loan at every instant, with fractions, nothing left out."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from desk.replay.engine import Evaluation, Figures, LoanHistory, Pause, Price, fate
from loans.risk import Thresholds

T0 = datetime(2026, 11, 26, 12, tzinfo=UTC)
seconds = st.integers(0, 60)
prices = st.sampled_from([Decimal(text) for text in ("20", "28", "31.25", "33", "35.71", "36", "41.66", "41.67", "55")])


def at(number):
    return T0 + timedelta(seconds=number)


@st.composite
def evaluations(draw):
    """Up to twelve evaluations, ascending, whose prices began and ended at any time before."""
    found = []
    for instant in sorted(draw(st.sets(seconds, max_size=12))):
        began = [draw(st.integers(max(0, instant - 8), instant)) for _ in range(draw(st.integers(0, 3)))]
        lows = tuple(
            Price(at(begin), price, at(min(begin + draw(st.integers(1, 4)), instant)))
            for begin, price in zip(sorted(began), sorted(draw(prices) for _ in began), strict=True)
        )
        last = draw(st.none() | prices)
        careful = draw(prices) if last else None
        found.append(
            Evaluation(
                at(instant),
                lows,
                Price(at(instant), last, at(instant)) if last else None,
                Price(at(instant), careful, at(instant)) if careful else None,
            )
        )
    return found


@st.composite
def loans(draw):
    """A loan with up to four changes of its collateral, terms, and the prices that apply to it."""
    instants = sorted(draw(st.sets(seconds, min_size=1, max_size=4)))
    figures, collateral, applies = [], draw(st.integers(30, 50)), None
    for number, since in enumerate(instants):
        collateral += draw(st.integers(0, 8)) if number else 0
        if applies is not None or draw(st.booleans()):
            applies = max(applies or 0, draw(st.integers(0, since)))
        liquidation = draw(st.sampled_from(("0.75", "0.8")))
        terms = Thresholds(Decimal("0.5"), Decimal("0.7"), Decimal("0.6"), Decimal(liquidation))
        applies_from = None if applies is None else at(applies)
        figures.append(Figures(at(since), Decimal(1000), Decimal(collateral), applies_from, terms))
    cleared_to = draw(st.none() | seconds)
    return LoanHistory(1, tuple(figures), draw(st.booleans()), cleared_to if cleared_to is None else at(cleared_to))


pauses = st.lists(st.builds(lambda begins, lasts: Pause(at(begins), at(begins + lasts)), seconds, seconds), max_size=2)


class EachAMinute:
    """The `Prices` of a list, that rule out what the engine says may be ruled out."""

    def __init__(self, listed):
        self.listed = listed

    def between(self, since, until, matters):
        for one in self.listed:
            known = [price.price for price in (*one.lows, one.last, one.careful) if price]
            if since <= one.at < until and known and matters(min(known), max(known)):
                yield one

    def careful_at(self, instant):
        before = [one for one in self.listed if one.at <= instant]
        return before[-1].careful.price if before and before[-1].careful else None


def slowly(loan, listed, paused, until):
    """Its calls with when each was cleared, and its sale: all is looked up anew at every instant."""
    calls, called, cleared_to, careful = [], loan.called, loan.cleared_to, None

    def figures_at(instant):
        return next((one for one in reversed(loan.figures) if one.since <= instant), None)

    def ltv(figures, price):
        return Fraction(figures.balance) / (Fraction(figures.collateral) * Fraction(price))

    def clear(instant, to):
        nonlocal called, cleared_to
        called, cleared_to = False, to
        if calls:
            calls[-1][2] = instant

    for instant in sorted({one.at for one in listed} | {one.since for one in loan.figures}):
        now, before = figures_at(instant), figures_at(instant - timedelta(microseconds=1))
        if instant >= until:
            break
        here = next((one for one in listed if one.at == instant), None)
        if here:
            careful = here.careful
        posted = now and before and now.collateral > before.collateral
        if posted and called and careful and ltv(now, careful.price) < Fraction("0.6"):
            clear(instant, instant)
        if here is None or now is None or now.prices_apply_from is None:
            continue
        past = [one for one in (*here.lows, here.last) if one and now.prices_apply_from < one.applies_before]
        for one in past:
            withheld = [
                pause for pause in paused
                if pause.began_at <= instant and (instant < pause.until or one.applies_before <= pause.until)
            ]  # fmt: skip
            if not withheld and ltv(now, one.price) >= Fraction(now.thresholds.liquidation_ltv):
                return calls, (one.at, one.price)
        lows = [one for one in past if one is not here.last]
        for one in [*lows, "clear", *past[len(lows) :]]:
            if one == "clear":
                if called and careful and ltv(now, careful.price) < Fraction("0.6"):
                    clear(instant, careful.applies_before)
            elif called or (cleared_to is not None and one.applies_before <= cleared_to):
                continue
            elif ltv(now, one.price) >= Fraction("0.7"):
                called = True
                calls.append([one.at, one.price, None])
    return calls, None


@settings(max_examples=400, deadline=None)
@given(loans(), evaluations(), pauses, seconds)
def test_the_engine_finds_what_a_slow_look_at_every_instant_finds(loan, listed, paused, until):
    found = fate(loan, EachAMinute(listed), paused, at(until))
    calls, sale = slowly(loan, listed, paused, at(until))
    replayed = zip(found.calls, found.cleared_at, strict=True)
    assert [[call.at, call.price, cleared] for call, cleared in replayed] == calls
    assert (found.sale and (found.sale.at, found.sale.price)) == sale
