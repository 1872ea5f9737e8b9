"""Setting a market's prices aside: one person may, unless it changes by which price loans are claimed or activated.

Importing it registers the action; the admin does (docs/decisions/0024).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final

from django.contrib.auth.models import User
from django.db import connection, transaction

from coruscant import clock, money
from coruscant.admin.figures import figure
from coruscant.approvals.actions import Action, register
from coruscant.approvals.arguments import Arguments, read, texts, whole, words
from coruscant.approvals.people import both
from coruscant.controls import pull as controls
from coruscant.controls import two_people
from coruscant.controls.models import Control, ControlKind
from coruscant.controls.pull import SecondPersonNeeded
from coruscant.errors import DomainError
from loans import candidates, terms
from loans.models import Loan
from pricing import snapshot
from pricing.markets import Market
from pricing.quotes import PricePoint

SET_ASIDE: Final = "liquidation.set_aside"
#: What is stored in place of a price if no other market has one.
NO_PRICE: Final = "none"
#: An approval allows the price to fall this far before it is agreed to.
_MARGIN: Final = Decimal("0.95")
_SHOWN: Final = 20


class PriceHasFallen(DomainError):
    """Without the market, the best price would be lower than what was asked for."""

    code = "price-has-fallen"
    title = "The price would be lower than asked for"
    status: ClassVar[int] = 409


class MoreWouldBeClaimed(DomainError):
    """Setting the market aside would claim more loans than were asked for."""

    code = "more-would-be-claimed"
    title = "More loans would be claimed than asked for"
    status: ClassVar[int] = 409


@dataclass(frozen=True, slots=True)
class Claims:
    """How many loans a price would claim at most, and the first of them, worst LTV first."""

    count: int = 0
    loan_ids: tuple[str, ...] = ()


class PriceInDoubt(DomainError):
    """Without the market, a jump of another one would be all there is to go by, and it is not confirmed yet."""

    code = "price-in-doubt"
    title = "The price of the other market is in doubt"
    status: ClassVar[int] = 409


def prices(market: str) -> tuple[PricePoint, PricePoint]:
    """The best price now, and the one without this market."""
    found, now, _no_row = snapshot.read()
    without = found.without(Market(market), now, now + controls.LONGEST)
    return found.price_at(now), without.price_at(now)


def claims_at(price: Decimal | None) -> Claims:
    """The active loans that are breached at a price now. A few of them may just not be: they round to the threshold."""
    if price is None:
        return Claims()
    search = candidates.breached(PricePoint(clock.now(), price, ()), terms.in_use())
    with connection.cursor() as cursor:
        parameters = search.parameters(search.start, 2**31)
        cursor.execute(f"SELECT count(*) FROM (SELECT l.id {search.found}) AS found", parameters)  # noqa: S608
        (count,) = cursor.fetchone()
    found, _following = search.page(search.start, _SHOWN)
    names = dict(Loan.objects.filter(pk__in=found).values_list("pk", "loan_id"))
    return Claims(count, tuple(names[pk] for pk in found))


def set_aside(market: str, *, lasts: timedelta, why: str, by: str, by_id: int | None) -> Control:
    """Set a market's prices aside, by one person. Locks and raises as `pull` does.

    Raises SecondPersonNeeded, too, if another price would decide then, or none, or one in doubt.
    """
    with transaction.atomic():
        controls.lock_boundary()
        before, after = prices(market)
        if _decides(before) != _decides(after) or after.pending:
            raise SecondPersonNeeded(
                f"The best price is {_said(before)}, and would be {_said(after)}: that may claim or activate loans."
            )
        return controls.pull(ControlKind.SET_ASIDE, market=market, lasts=lasts, why=why, by=by, by_id=by_id)


def _decides(point: PricePoint) -> tuple[Decimal | None, Decimal | None]:
    """The prices by which loans are claimed, and activated."""
    return point.price, point.cautious.price


def _said(point: PricePoint) -> str:
    careful = point.cautious.price
    activations = f", {figure(careful, 'GC')} for activations" if careful != point.price else ""
    return f"{figure(point.price, 'GC')}{activations}{', in doubt' if point.pending else ''}"


def _undoubted(point: PricePoint) -> Decimal | None:
    """The price, None if there is none. Raises PriceInDoubt."""
    if point.pending:
        raise PriceInDoubt("A jump of the other market is not confirmed yet: ask again in a few seconds.")
    return point.price


def _complete(arguments: Arguments) -> Arguments:
    """How far the price may fall until it is agreed, and what it may claim then: what that lower price would now."""
    sent = read(arguments, market=words, minutes=whole, why=words)
    controls.check(ControlKind.SET_ASIDE, sent["market"], timedelta(minutes=sent["minutes"]), clock.now())
    _before, after = prices(sent["market"])
    price = _undoubted(after)
    with money.exact():
        floor = None if price is None else money.round_down(price * _MARGIN, money.DECIMAL_PLACES)
    claims = claims_at(floor)
    return {
        **sent, "price": NO_PRICE if floor is None else floor, "at_most": claims.count, "first": list(claims.loan_ids),
    }  # fmt: skip


def _price(value: Any) -> Decimal | None:
    return None if value == NO_PRICE else money.parse_amount(value)


def _read(arguments: Arguments) -> dict[str, Any]:
    return read(arguments, market=words, minutes=whole, why=words, price=_price, at_most=whole, first=texts)


def _effect(arguments: Arguments) -> str:
    """Of what was asked alone: nothing in it moves with the price, or with one loan.

    Raises PriceInDoubt, PriceHasFallen, MoreWouldBeClaimed, and as `check` does.
    """
    sent = _read(arguments)
    market, floor = sent["market"], sent["price"]
    controls.check(ControlKind.SET_ASIDE, market, timedelta(minutes=sent["minutes"]), clock.now())
    after = _undoubted(prices(market)[1])
    if after is not None and (floor is None or after < floor):
        raise PriceHasFallen(f"The best price would be {figure(after, 'GC')}, and no lower one than that is asked for.")
    claims = claims_at(floor)
    if claims.count > sent["at_most"]:
        raise MoreWouldBeClaimed(
            f"{claims.count} loans would be claimed at {figure(floor, 'GC')}, and {sent['at_most']} are asked for."
        )
    return (
        f"The prices of {Market(market).label} are set aside for {two_people.in_words(sent['minutes'])} from the"
        f" agreement on. {_in_words(floor, sent['at_most'], sent['first'])} It is done because: {sent['why']}"
    )


def _in_words(floor: Decimal | None, at_most: int, first: Sequence[str]) -> str:
    if floor is None:
        return (
            "No other market has a price: until one sends a quote, nothing is claimed, activated or called. What is"
            " claimed by a quote that comes later is not known."
        )
    if not at_most:
        return f"If the best price is {figure(floor, 'GC')} a unit or more then, no loan is claimed by it."
    more = " and others" if at_most > len(first) else ""
    return (
        f"If the best price is {figure(floor, 'GC')} a unit or more then, it claims {at_most} loans at most, the worst"
        f" first: {', '.join(first)}{more}. If it is lower, or more would be claimed, nothing is done."
    )


def _execute(arguments: Arguments, *, asked_by: User, agreed_by: User) -> str:
    sent = _read(arguments)
    made = controls.pull(
        ControlKind.SET_ASIDE, market=sent["market"], lasts=timedelta(minutes=sent["minutes"]), why=sent["why"],
        by=both(asked_by, agreed_by), by_id=asked_by.pk, two_people=True,
    )  # fmt: skip
    return f"{made} holds until {made.until:%Y-%m-%d %H:%M:%S} UTC."


register(
    Action(
        name=SET_ASIDE,
        title="Set a market's prices aside",
        permission=two_people.MAY_PULL,
        complete=_complete,
        lock=two_people.lock,
        effect=_effect,
        execute=_execute,
    )
)
