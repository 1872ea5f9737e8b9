"""Which quotes of a market are effective, and since when: one quote alone is not enough for a jump. Pure.

The result depends only on the set of quotes and on the guard's settings, never on the order in which they reached us,
how late they did, how often, or how far queues are drained. docs/price-rules.md explains the rules by tables of prices.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from coruscant import money
from pricing.aside import Aside, is_aside
from pricing.markets import Market
from pricing.quotes import Freshness, Level, Quote, expires_at, in_order, name_of, position, unit_price


class Mode(StrEnum):
    """What a guard does: decide; record what it would have held, and decide as if it were off; or nothing."""

    ON = "on"
    WATCH = "watch"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Guard:
    """The guard's settings from the instant `holds_from` on; shares of a price (0.40 is 40 %).

    `jump` is how far a quote may differ from its market's effective one by itself, `agreement` how near a quote must be
    to support another, `dispute` how far apart two markets may be.
    """

    holds_from: datetime
    mode: Mode
    jump: Decimal
    agreement: Decimal
    dispute: Decimal
    id: int = 0

    @property
    def on(self) -> bool:
        """Whether it decides."""
        return self.mode is Mode.ON


#: What holds before the first row, and where there is none.
DEFAULT = Guard(datetime.min.replace(tzinfo=UTC), Mode.ON, Decimal("0.40"), Decimal("0.10"), Decimal("0.25"))
#: Ascending by the instant from which each one holds; of two from the same instant the later counts.
Guards = tuple[Guard, ...]


class Alone(StrEnum):
    """Which way a market jumped to its present level, if only its own quotes have confirmed that."""

    NO = ""
    RISE = "rise"
    FALL = "fall"


@dataclass(frozen=True, slots=True)
class Effective:
    """A quote that is its market's price from `start` on, until the next one; what confirmed it, if it was a jump."""

    quote: Quote
    start: datetime
    alone: Alone = Alone.NO
    confirmed_by: str = ""


@dataclass(frozen=True, slots=True)
class Jump:
    """A quote that was not believed at once, as it differed too much from `against`.

    It was pending until `end`, when `by` confirmed or replaced it, or the guard was switched off (None). Without an end
    it is its market's latest; its life ends like that of any other quote.
    """

    quote: Quote
    against: Quote
    end: datetime | None = None
    by: Quote | None = None
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """One market over time: its effective quotes in order, and its jumps. `newest` is the last quote of any kind."""

    effective: tuple[Effective, ...]
    jumps: tuple[Jump, ...]
    newest: Quote

    @property
    def is_outranked(self) -> bool:
        """Whether the newest quote says nothing, since its own time is older than that of one still fresh."""
        pending = self.jumps[-1].quote if self.jumps and self.jumps[-1].end is None else None
        return bool(self.effective) and self.newest not in {self.effective[-1].quote, pending}


def in_force(guards: Guards, instant: datetime) -> Guard:
    """The guard that holds at an instant."""
    return next((guard for guard in reversed(guards) if guard.holds_from <= instant), DEFAULT)


def as_if_on(guards: Guards) -> Guards:
    """The same settings, with every guard that only watches deciding."""
    return tuple(replace(guard, mode=Mode.ON) if guard.mode is Mode.WATCH else guard for guard in guards)


def differing(before: Sequence[Level], after: Sequence[Level], share: Decimal) -> list[tuple[Decimal, Alone]]:
    """The quantities, published on either curve, at which the price differs by more than a share of `before`.

    And which way. Ascending by quantity. Beyond its last level a curve counts as flat: it is worth no more there.
    """
    found = []
    with money.exact():
        for quantity in sorted({level.quantity for level in (*before, *after)}):
            old, new = _price(before, quantity), _price(after, quantity)
            if abs(new - old) > share * old:
                found.append((quantity, Alone.RISE if new > old else Alone.FALL))
    return found


def supports(curve: Sequence[Level], jump: Jump, guard: Guard, *, other_market: bool) -> bool:
    """Whether a curve says that prices moved as far as this jump, or further, less the agreement.

    A market's own quote must say so at every quantity at which it jumped. Markets differ in depth, so another one must
    at the smallest of these.
    """
    moved = differing(jump.against.sell, jump.quote.sell, guard.jump)
    with money.exact():
        for quantity, way in moved[:1] if other_market else moved:
            price, claimed = _price(curve, quantity), _price(jump.quote.sell, quantity)
            if way is Alone.FALL and price > claimed * (1 + guard.agreement):
                return False
            if way is Alone.RISE and price < claimed * (1 - guard.agreement):
                return False
    return True


def judged(
    quotes: Iterable[Quote],
    guards: Guards,
    freshness: Freshness,
    settled: Mapping[Market, Effective] | None = None,
    aside: Aside = (),
) -> dict[Market, Course]:
    """The course of each market that sent any of these quotes.

    `settled` has what is known of a market at an earlier time: its effective quote then, one of `quotes`. Its own
    earlier quotes then decide nothing, except about other markets. The first of `quotes` is effective by itself. What
    is sent while its market is set `aside` supports nothing, and nor does any other quote of it then.
    """
    ordered, settled = in_order(set(quotes)), settled or {}
    return {
        market: _Judge(market, guards, freshness, aside, settled.get(market)).course(ordered)
        for market in sorted({quote.market for quote in ordered})
    }


@dataclass(slots=True)
class _Judge:
    """Goes through all quotes once, in order, and keeps what they make of one market."""

    market: Market
    guards: Guards
    freshness: Freshness
    aside: Aside
    current: Effective | None
    pending: Jump | None = None
    previous: Quote | None = None
    others: dict[Market, Quote] = field(default_factory=dict)
    effective: list[Effective] = field(default_factory=list)
    jumps: list[Jump] = field(default_factory=list)

    def course(self, ordered: Sequence[Quote]) -> Course:
        settled = self.current.quote if self.current else None
        if self.current:
            self.effective.append(self.current)
            self.previous = settled
        newest, seen = settled, None
        for quote in ordered:
            self._switched_off(seen, quote.sent_at)
            seen = quote.sent_at
            if quote.market != self.market:
                self._other(quote)
            elif settled is None or position(quote) > position(settled):
                self._own(quote, in_force(self.guards, quote.sent_at))
                self.previous = newest = quote
        self._switched_off(seen, None)
        if self.pending:
            self.jumps.append(self.pending)
        assert newest is not None  # noqa: S101  (`judged` asks about markets that sent something)
        return Course(tuple(self.effective), tuple(self.jumps), newest)

    def _switched_off(self, after: datetime | None, until: datetime | None) -> None:
        """A jump still pending when the guard is switched off is effective from then on."""
        for guard in self.guards:
            between = (after is None or guard.holds_from > after) and (until is None or guard.holds_from <= until)
            holds = in_force(self.guards, guard.holds_from) is guard
            if self.pending and between and holds and not guard.on:
                self._confirm(guard.holds_from, None, Alone.NO)

    def _other(self, quote: Quote) -> None:
        self.others[quote.market] = quote
        if self.pending and self._is_supported_by(quote, quote.sent_at):
            self._confirm(quote.sent_at, quote, Alone.NO)

    def _own(self, quote: Quote, guard: Guard) -> None:
        """A quote of this market: outdated, effective or a jump."""
        current = self.current
        if (
            current is not None
            and quote.market_time < current.quote.market_time
            and quote.sent_at < expires_at(current.quote, self.freshness)
        ):
            return
        pending, previous = self.pending, self.previous
        again = pending and self._may_agree(pending.quote, quote)
        if pending and again and supports(quote.sell, pending, guard, other_market=False):
            self._confirm(quote.sent_at, quote, self._way(pending, guard))
            current = self.current
        jump = Jump(quote, current.quote) if current else None
        moved = differing(current.quote.sell, quote.sell, guard.jump) if current else []
        self._replace_pending(quote)
        if current is None or not guard.on:
            self._believe(Effective(quote, quote.sent_at))
        elif not moved:
            alone = current.alone if current.alone and not self._agree(current.alone, quote, guard) else Alone.NO
            by = name_of(current.quote) if current.confirmed_by == name_of(quote) else ""
            self._believe(Effective(quote, quote.sent_at, alone, by))
        elif previous and self._may_agree(previous, quote) and repeats(quote, previous, guard):
            self._believe(Effective(quote, quote.sent_at, moved[0][1], name_of(previous)))
        else:
            self.pending = jump
            fresh = [other for other in self.others.values() if quote.sent_at < expires_at(other, self.freshness)]
            if support := next((other for other in fresh if self._is_supported_by(other, quote.sent_at)), None):
                self._confirm(quote.sent_at, support, Alone.NO)

    def _is_supported_by(self, other: Quote, instant: datetime) -> bool:
        assert self.pending is not None  # noqa: S101
        guard = in_force(self.guards, instant)
        return self._counts(other, instant) and supports(other.sell, self.pending, guard, other_market=True)

    def _may_agree(self, earlier: Quote, later: Quote) -> bool:
        """Whether two quotes of this market can be two: not one event twice, and neither was set aside."""
        counting = all(self._counts(one, later.sent_at) for one in (earlier, later))
        return counting and later.market_time > earlier.market_time

    def _counts(self, quote: Quote, instant: datetime) -> bool:
        """Whether a quote may support anything at an instant: its market was not set aside when it was sent, nor is."""
        return not any(is_aside(self.aside, quote.market, at) for at in (quote.sent_at, instant))

    def _confirm(self, instant: datetime, by: Quote | None, alone: Alone) -> None:
        assert self.pending is not None  # noqa: S101
        self.jumps.append(replace(self.pending, end=instant, by=by, confirmed=True))
        self._believe(Effective(self.pending.quote, instant, alone, name_of(by) if by else ""))
        self.pending = None

    def _replace_pending(self, by: Quote) -> None:
        if self.pending:
            self.jumps.append(replace(self.pending, end=by.sent_at, by=by))
            self.pending = None

    def _believe(self, effective: Effective) -> None:
        self.current = effective
        self.effective.append(effective)

    def _way(self, jump: Jump, guard: Guard) -> Alone:
        moved = differing(jump.against.sell, jump.quote.sell, guard.jump)
        return moved[0][1] if moved else Alone.NO

    def _agree(self, way: Alone, quote: Quote, guard: Guard) -> bool:
        """Whether another market, by its latest quote if that has not expired, bears out the level of this quote."""
        with money.exact():
            for other in self.others.values():
                if quote.sent_at >= expires_at(other, self.freshness) or not self._counts(other, quote.sent_at):
                    continue
                quantity = quote.sell[0].quantity
                theirs, ours = _price(other.sell, quantity), _price(quote.sell, quantity)
                if max(theirs, ours) <= min(theirs, ours) * (1 + guard.dispute):
                    return True
                if way is Alone.FALL and theirs <= ours * (1 + guard.agreement):
                    return True
                if way is Alone.RISE and theirs >= ours * (1 - guard.agreement):
                    return True
        return False


def repeats(quote: Quote, previous: Quote, guard: Guard) -> bool:
    """Whether a quote says again, at a later time of its market, what its predecessor said."""
    return quote.market_time > previous.market_time and not differing(previous.sell, quote.sell, guard.agreement)


def _price(curve: Sequence[Level], quantity: Decimal) -> Decimal:
    """The price of one unit; beyond the last level, that of the last."""
    found = unit_price(curve, quantity)
    return curve[-1].unit_price if found is None else found
