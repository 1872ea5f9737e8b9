"""The loans of a snapshot by terms and debt per unit. Pure."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import accumulate

from coruscant.money import decimal_string
from desk.book.buckets import Sums, bucket_of

#: A bound of debt per unit (GC a unit) for each version of the terms.
Bounds = Mapping[int, Decimal]


def written(sums: Iterable[tuple[int, int, Sums]]) -> dict[str, list[list[int | str]]]:
    """Sums by version and bucket, in the order of both, as a snapshot keeps them."""
    found: dict[str, list[list[int | str]]] = {}
    for version, number, one in sums:
        figures: list[int | str] = [number, one.loans, decimal_string(one.balance), decimal_string(one.collateral)]
        found.setdefault(str(version), []).append(figures)
    return found


class Distribution:
    """The sums of each bucket, by version of the terms, read from `BookSnapshot.buckets`."""

    def __init__(self, buckets: Mapping[str, Sequence[Sequence[int | str]]]) -> None:
        """Read them."""
        self._numbers: dict[int, list[int]] = {}
        self._sums: dict[int, list[Sums]] = {}
        self._beyond: dict[int, list[Sums]] = {}
        for written_version, rows in buckets.items():
            version = int(written_version)
            self._numbers[version] = [int(number) for number, *_figures in rows]
            self._sums[version] = [Sums(int(loans), Decimal(owed), Decimal(units)) for _, loans, owed, units in rows]
            beyond = list(accumulate(reversed(self._sums[version]), initial=Sums()))
            self._beyond[version] = beyond[::-1]

    @property
    def versions(self) -> tuple[int, ...]:
        """The versions of the terms that any loan is under."""
        return tuple(self._numbers)

    def beyond(self, version: int, number: int) -> Sums:
        """The loans under these terms in this bucket and all higher ones."""
        return self._beyond[version][bisect_left(self._numbers[version], number)]

    def whole_buckets(self, bounds: Bounds) -> Sums:
        """The loans at or above their bounds, and those less than 1 % below that share a bucket with them."""
        return sum((self.beyond(version, bucket_of(bound)) for version, bound in bounds.items()), Sums())

    def parts(self) -> Iterator[tuple[int, Sums]]:
        """Each bucket's number and sums, once for each version of the terms."""
        for version, numbers in self._numbers.items():
            yield from zip(numbers, self._sums[version], strict=True)
