"""A snapshot's buckets come back as they were written, and are summed from a bucket on."""

import json
from decimal import Decimal

from desk.book.buckets import EDGES, INFINITE, Sums
from desk.book.distribution import Distribution, written


def sums(loans, balance, collateral="1"):
    return Sums(loans, Decimal(balance), Decimal(collateral))


BUCKETS = json.loads(
    json.dumps(
        written(
            [
                (1, 0, sums(1, "0")),
                (1, 7, sums(2, "0.000000000000000000000001", "12345678901234567890.5")),
                (1, INFINITE, sums(1, "100", "0")),
                (2, 8, sums(4, "10")),
            ]
        )
    )
)


def test_buckets_are_written_as_plain_decimals():
    assert BUCKETS["1"][1] == [7, 2, "0.000000000000000000000001", "12345678901234567890.5"]


def test_what_lies_in_a_bucket_or_beyond_it():
    book = Distribution(BUCKETS)
    assert book.versions == (1, 2)
    assert [book.beyond(1, number).loans for number in (0, 1, 7, 8, INFINITE)] == [4, 3, 3, 1, 1]
    assert book.beyond(1, 8) == sums(1, "100", "0")
    assert book.beyond(2, 9) == Sums()


def test_whole_buckets_are_counted_from_the_one_of_the_bound_on():
    book = Distribution(BUCKETS)
    assert book.whole_buckets({1: EDGES[6], 2: EDGES[7]}).loans == 7
    assert book.whole_buckets({1: EDGES[7], 2: EDGES[8]}).loans == 1


def test_all_parts_are_there():
    assert [(number, part.loans) for number, part in Distribution(BUCKETS).parts()] == [
        (0, 1), (7, 2), (INFINITE, 1), (8, 4),
    ]  # fmt: skip


def test_an_empty_book_has_none():
    assert Distribution({}).versions == ()
    assert Distribution({}).whole_buckets({}) == Sums()
