"""What is read of the book is exact at every line, and in order around the line of liquidation."""

from datetime import timedelta
from decimal import Decimal

import pytest

from coruscant import clock, history, money
from coruscant.admin.tests.plans import plans
from desk.book import selectors, snapshot
from desk.book.buckets import EDGES, Sums
from desk.models import BookSnapshot
from loans.models import Loan
from loans.tests.factories import LoanFactory, make_terms

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]
ULP = Decimal("1e-24")


def lend(balance, collateral="40", terms_id=1, **fields):
    balance = Decimal(balance)
    return LoanFactory(active=True, amount=balance, collateral=Decimal(collateral), terms_id=terms_id, **fields)


def without_collateral(loan):
    with history.cause("test", correlation_id="x"):
        Loan.objects.filter(pk=loan.pk).update(collateral=0)
    return loan


def book():
    return selectors.Book(snapshot.take())


def test_the_newest_snapshot_and_their_history(time_passes):
    assert selectors.newest() is None
    time_passes()
    first = snapshot.take()
    time_passes(seconds=30)
    second = snapshot.take()
    assert selectors.newest() == second
    assert list(selectors.history(first.taken_at)) == [second, first]
    assert list(selectors.history(clock.now() - timedelta(seconds=1))) == [second]


def test_loans_at_or_above_a_line_within_a_bucket_are_counted_one_by_one():
    make_terms()
    for balance, terms_id in (("1000", 1), ("1001", 1), ("1002", 1), ("1002", 2), ("2000", 2)):
        lend(balance, terms_id=terms_id)
    found = book()
    assert found.at_or_above({1: Decimal("25.025"), 2: Decimal("25.025")}) == Sums(4, Decimal(5005), Decimal(160))
    assert found.at_or_above({1: Decimal("25.025") + ULP, 2: Decimal(50)}) == Sums(2, Decimal(3002), Decimal(80))
    assert found.at_or_above({1: Decimal(10**9), 2: Decimal(10**9)}) == Sums()
    assert found.at_or_above({}) == Sums()


def test_a_debt_without_collateral_is_above_every_line():
    without_collateral(lend("7"))
    assert book().at_or_above({1: Decimal(10) ** 40}) == Sums(1, Decimal(7), Decimal(0))


@pytest.mark.parametrize("edge", [EDGES[0], EDGES[1], EDGES[1018], EDGES[-1]])
def test_lines_at_the_edges_of_buckets_are_exact(edge):
    """Debts per unit are stored rounded; the line is compared with what they are."""
    loans = [lend(edge * 40 + off * ULP) for off in (-41, -40, -39, -21, -20, -19, -1, 0, 1, 19, 20, 21, 39, 40, 41)]
    found = book()
    for off in range(-48, 50):
        with money.exact():
            line = edge + off * ULP / 40
            at_or_above = [loan for loan in loans if loan.outstanding_balance >= line * loan.collateral]
        assert found.at_or_above({1: line}).loans == len(at_or_above)


def test_what_has_changed_since_is_read_where_the_line_divides_a_bucket_and_nowhere_else():
    loan, above = lend("1000"), lend("2000")
    found = book()
    with history.cause("test", correlation_id="x"):
        Loan.objects.filter(pk__in=(loan.pk, above.pk)).update(status="liquidating")
    assert found.at_or_above({1: Decimal(25)}) == Sums(1, Decimal(2000), Decimal(40))


def test_of_a_divided_bucket_no_more_is_read_than_the_snapshot_has_in_it():
    """So nothing that came since makes more of a higher line than of a lower one, which counts its bucket as it was."""
    lend("1000")
    found = book()
    lend("1001"), lend("500")
    assert found.at_or_above({1: Decimal(25)}) == Sums(1, Decimal(1000), Decimal(40))
    assert found.at_or_above({1: Decimal(20)}) == Sums(1, Decimal(1000), Decimal(40))


def test_the_live_part_is_a_range_of_the_index():
    lend("1000")
    found = book()
    with plans(bitmaps=False) as live:
        found.at_or_above_each([{1: Decimal(25)}, {1: Decimal(24)}])
    (text,) = live
    assert "'Index Only Scan'" in text
    assert "'active_by_terms_and_debt'" in text
    assert "Seq Scan" not in text


def test_several_lines_are_read_at_once_and_none_again(django_assert_num_queries):
    for balance in ("1000", "1001", "1002", "2000"):
        lend(balance)
    found, lines = book(), [{1: Decimal("25.02")}, {1: Decimal("25.05")}, {1: Decimal(50)}, {1: Decimal("25.02")}]
    with django_assert_num_queries(1):
        assert [sums.loans for sums in found.at_or_above_each(lines)] == [3, 2, 1, 3]
        assert [found.at_or_above(line).loans for line in lines] == [3, 2, 1, 3]


def test_a_histogram_has_steps_of_five_percent_and_one_without_end():
    lend("1000", "40")
    lend("1500", "40")
    lend("3000", "40")
    without_collateral(lend("7"))
    steps = selectors.histogram(book().distribution, Decimal(50))
    assert len(steps) == 21
    assert [(first, end) for first, end, *_ in steps[:2]] == [
        (Decimal(0), Decimal("0.05")), (Decimal("0.05"), Decimal("0.10")),
    ]  # fmt: skip
    assert [step for step in steps if step[2]] == [
        (Decimal("0.45"), Decimal("0.50"), 1, Decimal(1000)),  # its bucket begins just below 50 %
        (Decimal("0.70"), Decimal("0.75"), 1, Decimal(1500)),
        (Decimal("1.00"), None, 2, Decimal(3007)),
    ]


def test_the_nearest_are_those_that_a_fall_reaches_first_under_their_own_terms():
    make_terms()
    at_the_line, near, far = lend("1600"), lend("1599"), lend("1000")
    strict = lend("1499.5", terms_id=2)  # 0.75: its line is 1500
    assert selectors.nearest(Decimal(50), 3) == [strict, near, far]
    assert selectors.nearest(Decimal(50), 1) == [strict]
    assert selectors.nearest(Decimal("50.1"), 1) == [at_the_line]
    assert selectors.nearest(Decimal(50), 1)[0].terms.version == 2


def test_the_riskiest_have_the_most_debt_per_unit_and_those_without_collateral_come_first():
    make_terms()
    low, high, other = lend("1000"), lend("1200"), lend("1100", terms_id=2)
    bare = without_collateral(lend("1"))
    assert selectors.riskiest(10) == [bare, high, other, low]
    assert selectors.riskiest(2) == [bare, high]


def test_no_buckets_are_read_for_history():
    snapshot.take()
    (found,) = selectors.history(clock.now() - timedelta(hours=1))
    assert found.get_deferred_fields() == {"buckets"}
    assert BookSnapshot.objects.count() == 1
