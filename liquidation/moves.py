"""Moving open loans to other terms: every price up to that instant is evaluated under the old terms first.

It is one transaction of at most MOST loans, under the evaluation's lock. To be agreed by two people
(docs/decisions/0028).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Final

import structlog
from django.db.models import Case, Count, Exists, F, Max, OuterRef, QuerySet, Value, When
from django.db.models.functions import Greatest

from coruscant import clock, enqueue, history, locks
from coruscant.errors import DomainError
from coruscant.money import decimal_string
from coruscant.restores import holds, identity
from liquidation import chains, evaluate
from loans import risk
from loans.models import Loan, LoanStatus, LoanTerms, MarginCall
from pricing.models import Feed, PriceQuote
from pricing.quotes import PricePoint

log = structlog.get_logger(__name__)

#: The loans of one move: some seconds in which nothing is evaluated, and no posting to one of them is booked.
MOST: Final = 100_000
#: How far a feed may be behind: a price that arrives after a move, from before it, applies to no loan that was moved.
FEED_MAY_LAG: Final = timedelta(seconds=10)
_OPEN: Final = (LoanStatus.NEW, LoanStatus.ACTIVE)


class NoSuchTerms(DomainError):
    """There are no terms of this version, or both versions are the same."""

    code = "no-such-terms"
    title = "There are no such terms"
    status: ClassVar[int] = 422


class NothingToMove(DomainError):
    """No loan that is new or active is under these terms, or no longer."""

    code = "nothing-to-move"
    title = "There are no loans to be moved"
    status: ClassVar[int] = 409


class MoreThanAgreed(DomainError):
    """More loans would be called or sold than both people were shown."""

    code = "more-than-agreed"
    title = "More loans would be called or sold"
    status: ClassVar[int] = 409


class PricesNotCurrent(DomainError):
    """There is no live price, it is in doubt, or a feed is behind, so nobody can say what the move would do."""

    code = "prices-not-current"
    title = "The prices are not current"
    status: ClassVar[int] = 503


@dataclass(frozen=True, slots=True)
class Move:
    """The loans under the terms `of` that are new or active, up to the primary key `up_to`, get the terms `to`."""

    of: int
    to: int
    up_to: int

    @property
    def loans(self) -> "QuerySet[Loan]":
        """Those that are still to be moved: fewer and fewer, since a loan opened later has a later key."""
        return Loan.objects.filter(terms=self.of, status__in=_OPEN, pk__lte=self.up_to)


@dataclass(frozen=True, slots=True)
class Prospect:
    """The loanIds that a price would sell at once under their new terms, and that it would call, the worst first."""

    sold: tuple[str, ...]
    called: tuple[str, ...]


def planned(of: int, to: int) -> tuple[Move, int]:
    """A move of the loans that are under the terms `of` now, the oldest MOST of them; and how many they are.

    Raises NoSuchTerms, NothingToMove.
    """
    if of == to or LoanTerms.objects.filter(version__in=(of, to)).count() != 2:  # noqa: PLR2004
        raise NoSuchTerms(f"There are no terms {of}, or no others {to}, to move loans between.")
    oldest = Move(of, to, up_to=2**63 - 1).loans.order_by("pk")[:MOST]
    found = oldest.aggregate(up_to=Max("pk"), loans=Count("pk"))
    if not found["loans"]:
        raise NothingToMove(f"No loan that is new or active is under the terms {of}.")
    return Move(of, to, found["up_to"]), found["loans"]


def prospect(move: Move, price: Decimal) -> Prospect:
    """What a price would do to the active loans of a move under their new terms, by the exact rule."""
    ltvs = LoanTerms.objects.get(version=move.to).thresholds
    called = Exists(MarginCall.objects.filter(loan=OuterRef("pk"), closed_at__isnull=True))
    due = (
        move.loans.filter(status=LoanStatus.ACTIVE, debt_per_unit__gte=risk.search_floor(ltvs.margin_call_ltv, price))
        .order_by("-debt_per_unit", "-pk")
        .values_list("loan_id", "outstanding_balance", "collateral", called)
    )
    to_sell, to_call = [], []
    for loan_id, balance, collateral, has_call in due:
        if risk.must_liquidate(balance, collateral, price, ltvs):
            to_sell.append(loan_id)
        elif not has_call and risk.must_call(balance, collateral, price, ltvs):
            to_call.append(loan_id)
    return Prospect(tuple(to_sell), tuple(to_call))


def lock(move: Move) -> None:
    """Lock evaluations, then the loans in the order of their keys: so no posting to one of them is under way."""
    locks.exclusive(locks.EVALUATION)
    list(move.loans.select_for_update().order_by("pk").values_list("pk", flat=True))


def carry_out(move: Move, *, most_sold: int, most_called: int) -> int:
    """Move the loans, which the caller has locked by `lock`, in its transaction; returns how many were moved.

    First all loans of the bank are evaluated up to this instant, under the terms that they are under; those claimed by
    that are not moved. Prices that ended before it do not apply to the moved loans any more. The price that holds now
    does, at the next evaluation, which is enqueued. Raises DatabaseReplaced, RestoreUnderWay, PricesNotCurrent,
    MoreThanAgreed and NothingToMove; then the caller rolls back.
    """
    identity.require()
    holds.require_none()
    check_feeds(clock.now())
    with history.acting_as("system", None):
        window = evaluate.evaluate_under_lock()
    price = usable(window.last)
    found = prospect(move, price)
    sold, due = len(found.sold), len(found.sold) + len(found.called)
    if sold > most_sold or due > most_sold + most_called:
        raise MoreThanAgreed(
            f"At {decimal_string(price)} GC a unit {sold} loans would be sold and {due - sold} called, more"
            f" than the {most_sold} and {most_called} that were agreed to."
        )
    with history.cause("move_loans", correlation_id=f"terms-{move.of}-to-{move.to}"):
        moved = move.loans.update(
            terms=move.to,
            # A new loan has none: it gets one with its activation.
            prices_apply_from=Case(
                When(status=LoanStatus.ACTIVE, then=Greatest(F("prices_apply_from"), Value(window.until)))
            ),
        )
    if not moved:
        raise NothingToMove(f"No loan that is new or active is under the terms {move.of} any more.")
    enqueue.on_commit(chains.task("liquidation.evaluate_loans"))
    log.warning("loans_moved_to_terms", of=move.of, to=move.to, loans=moved, at=window.until.isoformat())
    return moved


def usable(point: PricePoint) -> Decimal:
    """The price by which a move is judged. Raises PricesNotCurrent if there is none, or a jump is pending.

    Once such a jump is settled, the time in which it was pending is judged; moved loans would escape that.
    """
    if point.price is None:
        raise PricesNotCurrent("There is no live price, so nobody can say which loans would be called and sold.")
    if point.pending:
        raise PricesNotCurrent("A jump of prices is not confirmed yet: ask again in a few seconds.")
    return point.price


def check_feeds(now: datetime) -> None:
    """Raises PricesNotCurrent if a feed is behind, so that prices from before now may still arrive."""
    for feed in Feed.objects.all():
        newest = PriceQuote.objects.filter(market=feed.market).order_by("-sent_at").values_list("sent_at", flat=True)
        known_to = max(filter(None, [feed.drained_to, newest.first()]), default=None)
        if known_to is not None and known_to < now - FEED_MAY_LAG:
            raise PricesNotCurrent(f"The feed of {feed} is behind: prices from before now may still arrive.")
