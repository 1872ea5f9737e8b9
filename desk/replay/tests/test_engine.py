"""What prices do to one loan, by worked times and prices: 1000 GC against 40 units, called at 35.71, sold at 31.25."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from desk.replay.engine import Evaluation, Figures, LoanHistory, Pause, Price, fate
from loans.risk import Thresholds

T0 = datetime(2026, 11, 26, 12, tzinfo=UTC)
TERMS = Thresholds(Decimal("0.5"), Decimal("0.7"), Decimal("0.6"), Decimal("0.8"))


def at(seconds):
    return T0 + timedelta(seconds=seconds)


class Listed:
    """Evaluations from a list, each a minute of its own; `asked` has those that were not ruled out."""

    def __init__(self, *evaluations):
        self.evaluations = evaluations
        self.asked = []

    def between(self, since, until, matters):
        for one in self.evaluations:
            prices = [price.price for price in (*one.lows, one.last, one.careful) if price]
            if since <= one.at < until and prices and matters(min(prices), max(prices)):
                self.asked.append(one.at)
                yield one

    def careful_at(self, instant):
        before = [one for one in self.evaluations if one.at <= instant]
        return before[-1].careful.price if before and before[-1].careful else None


def evaluation(seconds, *lows, last=None, careful=None):
    """An evaluation whose lows each began half a second before the next, the last of them half a second before it."""
    began = [seconds - (len(lows) - number) / 2 for number in range(len(lows))]
    prices = tuple(Price(at(begin), Decimal(low), at(begin + 0.5)) for begin, low in zip(began, lows, strict=True))
    now = Price(at(seconds - 0.5), Decimal(last), at(seconds)) if last else None
    cautious = careful or last or (lows[-1] if lows else None)
    return Evaluation(
        at(seconds), prices, now, Price(at(seconds), Decimal(cautious), at(seconds)) if cautious else None
    )


def figures(seconds, *, collateral="40", since=-100, terms=TERMS):
    return Figures(at(seconds), Decimal(1000), Decimal(collateral), None if since is None else at(since), terms)


def loan(*changes, **more):
    return LoanHistory(7, changes or (figures(-100),), **more)


def of(found, *evaluations, pauses=(), until=1000):
    return fate(found, Listed(*evaluations), pauses, at(until))


def test_a_loan_is_called_at_70_percent_and_sold_at_80_exactly():
    found = of(loan(), evaluation(1, "35.72"), evaluation(2, "35.71"), evaluation(3, "31.26"), evaluation(4, "31.25"))
    assert [(step.at, step.price, step.decided_at) for step in found.calls] == [(at(1.5), Decimal("35.71"), at(2))]
    assert found.cleared_at == (None,)
    assert found.sale.at == at(3.5)
    assert (found.sale.balance, found.sale.collateral) == (1000, 40)


def test_nothing_happens_after_the_sale_of_a_loan():
    prices = Listed(evaluation(1, "30"), evaluation(2, "20"), evaluation(3, "60"))
    found = fate(loan(), prices, (), at(1000))
    assert (found.sale.at, found.calls) == (at(0.5), ())
    assert prices.asked == [at(1)]


def test_the_lowest_price_of_a_window_sells_though_a_later_one_would_not():
    found = of(loan(), evaluation(2, "28", "30", "50"))
    assert found.sale.price == 28
    assert found.sale.at == at(0.5)


def test_a_low_that_ended_before_a_loan_became_active_leaves_the_next_to_sell_it():
    window = evaluation(2, "28", "30")  # from 1 to 1.5, and from 1.5 to 2
    assert of(loan(figures(1.6, since=1.4)), window).sale.price == 28
    assert of(loan(figures(1.6, since=1.5)), window).sale.price == 30
    assert of(loan(figures(1.6, since=2)), window) == of(loan())


def test_a_new_loan_is_not_sold_until_it_is_active():
    opened = loan(figures(-100, since=None), figures(5, since=4))
    found = of(opened, evaluation(1, "20"), evaluation(6, "31"))
    assert found.sale.at == at(5.5)


def test_a_call_is_cleared_below_60_percent_and_another_follows():
    found = of(loan(), evaluation(1, "35"), evaluation(2, "41.66"), evaluation(3, "41.67"), evaluation(4, "35.5"))
    assert [step.at for step in found.calls] == [at(0.5), at(3.5)]
    assert found.cleared_at == (at(3), None)


def test_a_price_that_ended_before_the_one_that_cleared_a_call_opens_no_other():
    again = Evaluation(at(3), (Price(at(1), Decimal(34), at(2)),), None, None)
    found = of(loan(), evaluation(1, "35"), evaluation(2, last="50"), again)
    assert [step.price for step in found.calls] == [35]
    assert of(loan(cleared_to=at(2)), again).calls == ()
    assert of(loan(cleared_to=at(1.9)), again).calls != ()


def test_a_call_that_was_open_already_is_not_opened_again_but_may_be_cleared():
    open_one = loan(called=True)
    assert of(open_one, evaluation(1, "35"), evaluation(2, "33")).calls == ()
    found = of(open_one, evaluation(1, "35"), evaluation(2, "50"), evaluation(3, "35"))
    assert [step.at for step in found.calls] == [at(2.5)]


def test_a_call_by_a_low_is_cleared_by_the_last_price_of_the_same_window():
    found = of(loan(), evaluation(2, "35", last="50"))
    assert [step.price for step in found.calls] == [35]
    assert found.cleared_at == (at(2),)


def test_a_disputed_price_clears_by_the_lower_one():
    found = of(loan(), evaluation(1, "35"), evaluation(2, last="50", careful="36"))
    assert found.cleared_at == (None,)


def test_a_posting_counts_from_its_instant_and_clears_by_the_price_of_then():
    topped_up = loan(figures(-100), figures(1.5, collateral="60"))
    found = of(topped_up, evaluation(1, "35"), evaluation(2, "31"))
    assert [step.at for step in found.calls] == [at(0.5)]
    assert found.cleared_at == (at(1.5),)
    assert found.sale is None
    too_little = loan(figures(-100), figures(1.5, collateral="41"))
    assert of(too_little, evaluation(1, "35"), evaluation(2, "31")).cleared_at == (None,)


def test_a_price_sells_only_if_it_outlasts_a_pause():
    pause = [Pause(at(0), at(10))]
    during = evaluation(5, "30")
    assert of(loan(), during, pauses=pause).sale is None
    dip = Evaluation(at(11), (Price(at(9), Decimal(30), at(10)),), None, None)
    assert of(loan(), dip, pauses=pause).sale is None
    outlasting = Evaluation(at(11), (Price(at(9), Decimal(30), at(10.1)),), None, None)
    assert of(loan(), outlasting, pauses=pause).sale.decided_at == at(11)
    assert of(loan(), during, pauses=[Pause(at(6), at(10))]).sale.decided_at == at(5)


def test_a_pause_of_claims_holds_back_no_margin_call():
    found = of(loan(), evaluation(5, "30"), pauses=[Pause(at(0), at(10))])
    assert [step.at for step in found.calls] == [at(4.5)]


def test_terms_that_a_loan_was_moved_to_count_from_the_prices_that_apply_under_them():
    stricter = replace(TERMS, liquidation_ltv=Decimal("0.75"))
    moved = loan(figures(-100), figures(5, since=5, terms=stricter))
    price = "33"  # 75.8 %
    assert of(moved, evaluation(4, price)).sale is None
    assert of(moved, evaluation(5, price)).sale is None
    assert of(moved, evaluation(4, price), evaluation(6, price)).sale.at == at(5.5)


def test_the_interval_ends_before_its_end():
    assert of(loan(), evaluation(5, "30"), until=5).sale is None
    assert of(loan(), evaluation(5, "30"), until=5.1).sale is not None


def test_only_evaluations_that_may_matter_are_asked_for():
    prices = Listed(
        evaluation(1, "50"), evaluation(2, "35"), evaluation(3, "36"), evaluation(4, "50"), evaluation(5, "60")
    )
    fate(loan(), prices, (), at(1000))
    assert prices.asked == [at(2), at(4)]
