"""What the prices of a past interval do to one loan under given terms: pure rules, on frozen values.

The same steps in the same order as an evaluation of `liquidation.evaluate` takes them, for one loan at a time. Prices
are in GC a unit, balances in GC, collateral in units; comparisons are those of `loans.risk`, exact.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, Protocol

from coruscant.money import ZERO
from loans import risk
from loans.risk import Thresholds

_INFINITY: Final = Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class Price:
    """A best price from `at` on; it applies to loans whose `prices_apply_from` is before `applies_before`."""

    at: datetime
    price: Decimal
    applies_before: datetime


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An evaluation of all loans at the instant `at`, and the prices it goes by.

    `lows` are the successive lows of its window. `last` is the price at its end, if that may claim loans and is not the
    last low as well. `careful` is the price that clears margin calls.
    """

    at: datetime
    lows: tuple[Price, ...]
    last: Price | None
    careful: Price | None


#: Whether prices may matter of which the lowest that calls or sells is this, and the highest that clears is that.
Matters = Callable[[Decimal, Decimal], bool]


class Prices(Protocol):
    """All evaluations of an interval. They need not be in memory: what matters to nobody is never made."""

    def between(self, since: datetime, until: datetime, matters: Matters) -> Iterator[Evaluation]:
        """The evaluations in [since, until) in order, those left out that `matters` rules out when it is asked.

        It is asked anew as the iteration goes on, so it may depend on what the evaluations before have done.
        """
        ...

    def careful_at(self, instant: datetime) -> Decimal | None:
        """The price that clears margin calls at an instant, as the last evaluation before found it."""
        ...


@dataclass(frozen=True, slots=True)
class Figures:
    """A loan's figures from the instant `since` on, and the LTVs to which it is held. Not active: nothing happens."""

    since: datetime
    balance: Decimal
    collateral: Decimal
    prices_apply_from: datetime | None
    thresholds: Thresholds

    @property
    def active(self) -> bool:
        """Whether the loan is active."""
        return self.prices_apply_from is not None


@dataclass(frozen=True, slots=True)
class LoanHistory:
    """A loan over an interval: its figures in order, and what was of its margin calls where the interval begins.

    `called`: one was open. `cleared_to` is the end of the price that cleared the last one.
    """

    pk: int
    figures: tuple[Figures, ...]
    called: bool = False
    cleared_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which nothing was claimed: from `began_at` on, until just before `until`."""

    began_at: datetime
    until: datetime

    def withholds(self, applies_before: datetime, at: datetime) -> bool:
        """Whether a price that ended at `applies_before` claims nobody at an instant: one must outlast the pause."""
        return self.began_at <= at and (self.until >= applies_before or self.until > at)


@dataclass(frozen=True, slots=True)
class Step:
    """A loan is called, or sold: by the price of the instant `at`, as the evaluation of `decided_at` found."""

    at: datetime
    price: Decimal
    decided_at: datetime
    balance: Decimal
    collateral: Decimal


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a loan: its margin calls, when each was cleared (None: not in the interval), and its sale."""

    calls: tuple[Step, ...] = ()
    cleared_at: tuple[datetime | None, ...] = ()
    sale: Step | None = None


def fate(loan: LoanHistory, prices: Prices, pauses: Sequence[Pause], until: datetime) -> Fate:
    """What these prices do to a loan before `until`. It ends with its sale."""
    walk = _Walk(loan, prices, pauses)
    walk.run(until)
    return Fate(tuple(walk.calls), tuple(walk.cleared_at), walk.sale)


@dataclass(slots=True)
class _Walk:
    """Goes through the evaluations that may matter to one loan."""

    loan: LoanHistory
    prices: Prices
    pauses: Sequence[Pause]
    figures: Figures = field(init=False)
    called: bool = field(init=False)
    #: Prices down from the one matter, and those above the other; found anew with every step, since many are compared.
    reached_at: Decimal = field(init=False)
    cleared_above: Decimal = field(init=False)
    cleared_to: datetime | None = field(init=False)
    calls: list[Step] = field(default_factory=list)
    cleared_at: list[datetime | None] = field(default_factory=list)
    sale: Step | None = None

    def __post_init__(self) -> None:
        self.figures = self.loan.figures[0]
        self.called, self.cleared_to = self.loan.called, self.loan.cleared_to
        self._find_lines()

    def run(self, until: datetime) -> None:
        every = self.loan.figures
        for figures, following in zip(every, [*every[1:], None], strict=True):
            if figures.since >= until:
                return
            self._change(figures)
            if not figures.active:
                continue
            end = min(until, following.since) if following else until
            for evaluation in self.prices.between(figures.since, end, self._matters):
                self._evaluate(evaluation)
                if self.sale:
                    return

    def _change(self, figures: Figures) -> None:
        """Other figures. A posting clears a margin call at once, at the price of that moment."""
        posted = figures.collateral > self.figures.collateral
        self.figures = figures
        self._find_lines()
        if posted and self.called:
            price = self.prices.careful_at(figures.since)
            if price is not None and self._reaches(risk.may_clear, price):
                self._clear(figures.since, figures.since)

    def _find_lines(self) -> None:
        ltvs = self.figures.thresholds
        self.reached_at = self._line(ltvs.liquidation_ltv if self.called else ltvs.margin_call_ltv)
        self.cleared_above = self._line(ltvs.margin_call_clear_ltv) if self.called else _INFINITY

    def _line(self, ltv: Decimal) -> Decimal:
        """The highest price at which LTV is at or above this; zero, which no price is, without a debt."""
        if not self.figures.balance:
            return ZERO
        line = risk.price_at(self.figures.balance, self.figures.collateral, ltv)
        return _INFINITY if line is None else line

    def _matters(self, lowest: Decimal, highest: Decimal) -> bool:
        return lowest <= self.reached_at or highest > self.cleared_above

    def _evaluate(self, evaluation: Evaluation) -> None:
        last = [evaluation.last] if evaluation.last else []
        for price in (*evaluation.lows, *last):
            if self._sells(price, evaluation.at):
                self.sale = self._step(price, evaluation.at)
                return
        for price in evaluation.lows:
            self._call(price, evaluation.at)
        careful = evaluation.careful
        if self.called and careful and self._reaches(risk.may_clear, careful.price):
            self._clear(evaluation.at, careful.applies_before)
        for price in last:
            self._call(price, evaluation.at)

    def _sells(self, price: Price, at: datetime) -> bool:
        if not self._applies(price) or not self._reaches(risk.must_liquidate, price.price):
            return False
        return not any(pause.withholds(price.applies_before, at) for pause in self.pauses)

    def _call(self, price: Price, at: datetime) -> None:
        overtaken = self.cleared_to is not None and self.cleared_to >= price.applies_before
        if self.called or overtaken or not self._applies(price) or not self._reaches(risk.must_call, price.price):
            return
        self.called = True
        self._find_lines()
        self.calls.append(self._step(price, at))
        self.cleared_at.append(None)

    def _clear(self, at: datetime, cleared_to: datetime) -> None:
        self.called, self.cleared_to = False, cleared_to
        self._find_lines()
        if self.cleared_at:
            self.cleared_at[-1] = at

    def _applies(self, price: Price) -> bool:
        return self.figures.prices_apply_from is not None and self.figures.prices_apply_from < price.applies_before

    def _reaches(self, rule: Callable[[Decimal, Decimal, Decimal, Thresholds], bool], price: Decimal) -> bool:
        return rule(self.figures.balance, self.figures.collateral, price, self.figures.thresholds)

    def _step(self, price: Price, at: datetime) -> Step:
        return Step(price.at, price.price, at, self.figures.balance, self.figures.collateral)
