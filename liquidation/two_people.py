"""Answering for an order as an act of two people: what both are shown, and what is booked when the second one agrees.

Importing it registers the actions; the admin does (docs/decisions/0024).
"""

import re
from typing import Any

from django.contrib.auth.models import User

from coruscant import money
from coruscant.approvals.actions import Action, register
from coruscant.approvals.arguments import Arguments, read, whole
from coruscant.approvals.people import both
from coruscant.money import decimal_string, parse_amount
from liquidation import resolution
from liquidation.locking import lock
from liquidation.models import TradeOrder
from liquidation.verdicts import AnswerKind

TRADED = "liquidation.resolve_as_traded"
NOT_TRADED = "liquidation.resolve_as_not_traded"
PERMISSION = "liquidation.change_tradeorder"

_ANSWERS_SHOWN = 5
#: Ids and times, too.
_NUMBER = re.compile(r"[\w-]*\d[\w-]*")
_PRICE_PLACES = 8


def _traded(arguments: Arguments) -> dict[str, Any]:
    return read(arguments, order_id=whole, units=parse_amount, proceeds=parse_amount)


def _not_traded(arguments: Arguments) -> dict[str, Any]:
    return read(arguments, order_id=whole)


def _lock(arguments: Arguments) -> None:
    order_id = read({"order_id": arguments.get("order_id")}, order_id=whole)["order_id"]
    lock(_waiting(order_id).liquidation_id, "resolve")


def _waiting(order_id: int) -> TradeOrder:
    order = TradeOrder.objects.select_related("liquidation__loan").filter(pk=order_id).first()
    if order is None or not resolution.waits_for_a_person(order):
        raise resolution.OrderNotUnresolved("The order is not, or no longer, waiting for a person.")
    return order


def _about(order: TradeOrder) -> str:
    return (
        f"Order {order.request_id} of the loan {order.liquidation.loan.loan_id} at {order.get_market_display()}:"
        f" {decimal_string(order.quantity)} units, sized at {decimal_string(order.quoted_unit_price)} GC a unit."
    )


def _answers(order: TradeOrder) -> str:
    """What the market has said. A new answer by the time of the agreement makes it another effect.

    One that it has given before does not, nor one that differs by a number, if it tells of no trade: an order that is
    still sent may be refused in the same words every minute.
    """
    different: dict[tuple[str, str, bool], str] = {}
    for send, kind, text, stale in order.answers.order_by("send").values_list("send", "kind", "text", "stale"):
        words = text if kind == AnswerKind.SUCCESS else _NUMBER.sub("#", text)
        late = ", heard too late to decide anything" if stale else ""
        different.setdefault((kind, words, stale), f"first to send {send}{late}: {kind}: {text}")
    newest = list(different.values())[-_ANSWERS_SHOWN:]
    return "\n".join([f"Different answers of the market so far: {len(different)}. The newest:", *reversed(newest)])


def _still_sent(order: TradeOrder) -> str:
    """That a send may be under way. It says nothing of the present instant: that would change by itself."""
    if not resolution.is_still_sent(order):
        return ""
    return (
        " It is not clear yet, and is sent again and again until this is booked: a send may be under way at that"
        " moment. What the market answers to it then is kept with the order, and decides nothing."
    )


def _effect_traded(arguments: Arguments) -> str:
    sent = _traded(arguments)
    order = _waiting(sent["order_id"])
    resolution.check_figures(order.liquidation, order, sent["units"], sent["proceeds"])
    with money.exact():
        price = money.round_down(sent["proceeds"] / sent["units"], _PRICE_PLACES)
    return (
        f"{_about(order)}{_still_sent(order)}\n"
        f"It is booked as traded: {decimal_string(sent['units'])} units for {decimal_string(sent['proceeds'])} GC in"
        f" total, {decimal_string(price)} GC a unit. That cannot be undone.\n{_answers(order)}"
    )


def _effect_not_traded(arguments: Arguments) -> str:
    order = _waiting(_not_traded(arguments)["order_id"])
    or_will = " And if a send that is under way trades, they are, too." if resolution.is_still_sent(order) else ""
    return (
        f"{_about(order)}{_still_sent(order)}\nIt is booked as not traded: the same units are ordered again, under a"
        f" new request id. If it did trade, they are sold twice.{or_will}\n{_answers(order)}"
    )


def _book_traded(arguments: Arguments, *, asked_by: User, agreed_by: User) -> str:
    sent, who = _traded(arguments), both(asked_by, agreed_by)
    resolution.resolve_as_traded(**sent, actor_name=who, actor_id=agreed_by.pk, two_people=True)
    units, proceeds = decimal_string(sent["units"]), decimal_string(sent["proceeds"])
    return f"Booked: the market traded {units} units for {proceeds} GC."


def _book_not_traded(arguments: Arguments, *, asked_by: User, agreed_by: User) -> str:
    sent, who = _not_traded(arguments), both(asked_by, agreed_by)
    resolution.resolve_as_not_traded(**sent, actor_name=who, actor_id=agreed_by.pk, two_people=True)
    return "Booked: the market traded nothing. The sale goes on with a new order."


register(
    Action(
        name=TRADED,
        title="Market did trade",
        permission=PERMISSION,
        lock=_lock,
        effect=_effect_traded,
        execute=_book_traded,
    )
)
register(
    Action(
        name=NOT_TRADED,
        title="Market did not trade",
        permission=PERMISSION,
        lock=_lock,
        effect=_effect_not_traded,
        execute=_book_not_traded,
    )
)
