"""The edges never change, since stored snapshots name buckets by number."""

from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from coruscant import money
from coruscant.tests.exactness import examples
from desk.book.buckets import EDGES, ENDS, INFINITE, STARTS, Sums, bucket_of


def test_edges_are_what_they_have_always_been():
    assert EDGES[:3] == (Decimal("0.001"), Decimal("0.00101"), Decimal("0.0010201"))
    assert (EDGES[1000], len(EDGES)) == (Decimal("20.959155637813660065376164"), 2100)
    assert EDGES[-1] == Decimal("1176423.170785742824242467799396")


def test_edges_ascend_by_one_percent_with_the_decimals_of_the_column():
    assert all(edge == money.round_down(edge, money.DECIMAL_PLACES) for edge in EDGES)
    with money.exact():
        assert all(
            Decimal("1.01") <= upper / lower < Decimal("1.01000000000000000001") for lower, upper in pairwise(EDGES)
        )


@examples(100)
@given(st.one_of(st.sampled_from(EDGES), st.decimals(0, 10**8, places=24)))
def test_a_debt_per_unit_lies_in_its_bucket(debt_per_unit):
    for value in (debt_per_unit, debt_per_unit + Decimal("1e-24")):
        number = bucket_of(value)
        assert STARTS[number] <= value < ENDS[number]
        assert number < INFINITE


def test_sums_add_and_subtract_exactly():
    little, much = Sums(1, Decimal("1e-24"), Decimal("1e-24")), Sums(2, Decimal(10) ** 19, Decimal(10) ** 19)
    assert (little + much).balance == Decimal("10000000000000000000.000000000000000000000001")
    assert (little + much) - much == little
