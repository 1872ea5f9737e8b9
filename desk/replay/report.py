"""What a replay has found, beside what really happened: totals, and the loans with whom it differs."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from heapq import heappush, heappushpop
from itertools import zip_longest
from typing import Any, Final

from coruscant import money
from desk.replay.engine import Fate, Step

#: Differences of each kind that are kept: those with the most owed.
MOST: Final = 1000
KINDS: Final = ("sold", "called")
#: Where something happened: at the same instant in both, in both but at another instant, or in one of them alone.
WHERE: Final = ("same", "otherInstant", "onlyReality", "onlyReplay")


@dataclass(frozen=True, slots=True)
class Row:
    """One loan called or sold: in reality, in the replay, or in both; and when the call was cleared, if it was."""

    kind: str
    pk: int
    reality: Step | None
    replay: Step | None
    cleared_in_reality: datetime | None = None
    cleared_in_replay: datetime | None = None

    @property
    def where(self) -> str:
        """One of WHERE."""
        if self.reality and self.replay:
            return "same" if self.reality.at == self.replay.at else "otherInstant"
        return "onlyReality" if self.reality else "onlyReplay"

    @property
    def owed(self) -> Decimal:
        """GC owed then: of both, in reality."""
        step = self.reality or self.replay
        return step.balance if step else money.ZERO


@dataclass(slots=True)
class Report:
    """Filled loan by loan; takes the same memory however many there are."""

    loans: Counter[tuple[str, str]] = field(default_factory=Counter)
    owed: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    kept: dict[str, list[tuple[Decimal, int, int, Row]]] = field(default_factory=lambda: {kind: [] for kind in KINDS})

    def add(self, pk: int, reality: Fate, replay: Fate) -> None:
        """A loan, by its primary key."""
        for row in _rows(pk, reality, replay):
            key = row.kind, row.where
            self.loans[key] += 1
            with money.exact():
                self.owed[key] = self.owed.get(key, money.ZERO) + row.owed
            if row.where != "same":
                self._keep(row)

    def as_json(self, names: Callable[[Iterable[int]], Mapping[int, str]]) -> dict[str, Any]:
        """Totals and differences, those with the most owed first. `names` finds the loanIds of primary keys."""
        kept = {kind: [row for *_order, row in sorted(self.kept[kind], reverse=True)] for kind in KINDS}
        loan_ids = names({row.pk for rows in kept.values() for row in rows})
        return {
            "totals": {
                kind: {
                    where: {
                        "loans": self.loans[kind, where],
                        "owed": money.decimal_string(self.owed.get((kind, where), money.ZERO)),
                    }
                    for where in WHERE
                }
                for kind in KINDS
            },
            "differences": {kind: [_as_json(row, loan_ids[row.pk]) for row in rows] for kind, rows in kept.items()},
        }

    def _keep(self, row: Row) -> None:
        """Of the same debt, the older loan."""
        kept, entry = self.kept[row.kind], (row.owed, -row.pk, -self.loans.total(), row)
        if len(kept) < MOST:
            heappush(kept, entry)
        else:
            heappushpop(kept, entry)


def _rows(pk: int, reality: Fate, replay: Fate) -> Iterator[Row]:
    """A loan's calls in order, the first in reality beside the first in the replay, and its sale."""
    calls = zip_longest(reality.calls, replay.calls)
    cleared = zip_longest(reality.cleared_at, replay.cleared_at)
    for (really, replayed), (then, later) in zip(calls, cleared, strict=True):
        yield Row("called", pk, really, replayed, then, later)
    if reality.sale or replay.sale:
        yield Row("sold", pk, reality.sale, replay.sale)


def _as_json(row: Row, loan_id: str) -> dict[str, Any]:
    return {
        "loan": row.pk,
        "loanId": loan_id,
        "kind": row.kind,
        "where": row.where,
        "reality": _step(row.reality, row.cleared_in_reality),
        "replay": _step(row.replay, row.cleared_in_replay),
    }


def _step(step: Step | None, cleared_at: datetime | None) -> dict[str, Any] | None:
    if step is None:
        return None
    return {
        "at": _instant(step.at),
        "price": money.decimal_string(step.price),
        "owed": money.decimal_string(step.balance),
        "collateral": money.decimal_string(step.collateral),
        "clearedAt": cleared_at and _instant(cleared_at),
    }


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
