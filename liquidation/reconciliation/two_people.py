"""What needs two people after a restore or a difference: what both are shown, and what is done when they agree.

Importing it registers the actions; the admin does (docs/decisions/0024).
"""

from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth.models import User

from coruscant import locks
from coruscant.admin.figures import figure, instant
from coruscant.approvals.actions import Action, Execute, register
from coruscant.approvals.arguments import Arguments, read, whole, words
from coruscant.approvals.people import both
from coruscant.restores import holds, identity
from coruscant.restores.models import Restore
from liquidation import restored
from liquidation.models import Liquidation, TradeOrder
from liquidation.reconciliation import differences
from liquidation.reconciliation.models import DifferenceStatus, ReconciliationDifference, StatementTrade
from loans.models import Loan

ADOPT: Final = "liquidation.adopt"
EXPLAIN: Final = "liquidation.explain"
RELEASE_SALE: Final = "liquidation.release_sale"
RELEASE_CLAIMS: Final = holds.RELEASE_CLAIMS
NOTHING_WAS_LOST: Final = holds.NOTHING_WAS_LOST
ANSWER_FOR_ORDERS: Final = "liquidation.change_tradeorder"
CLOSE_DIFFERENCES: Final = "liquidation.change_reconciliationdifference"


def _open(difference_id: int) -> ReconciliationDifference:
    found = ReconciliationDifference.objects.select_related("loan").filter(pk=difference_id).first()
    if found is None or found.status != DifferenceStatus.OPEN:
        raise differences.DifferenceNotOpen(f"Difference {difference_id} is not, or no longer, open.")
    return found


def _lock_difference(arguments: Arguments) -> None:
    found = differences.locked(whole(arguments["difference_id"]))
    if found.loan_id is not None:
        Loan.objects.select_for_update().filter(pk=found.loan_id).first()
        Liquidation.objects.select_for_update(of=("self",)).filter(loan=found.loan_id).first()


def _says(difference: ReconciliationDifference) -> str:
    market, request_id = difference.get_market_display(), difference.request_id
    if difference.units is None:
        return f"{market} states no trade of the request {request_id}, which the books have."
    stated = f"{_trade(difference)} in total"
    return f"{market} states that it traded {stated}, for the request {request_id}.{_lines(difference)}"


def _lines(difference: ReconciliationDifference) -> str:
    """The parts of a sum: a trade that is stated twice, a second apart, is no trade of twice as much."""
    lines = StatementTrade.objects.filter(market=difference.market, request_id=difference.request_id)
    told = lines.select_related("reconciliation").order_by("traded_at", "pk")
    parts = [f"{_trade(line)} at {instant(line.traded_at)}, in {line.reconciliation}" for line in told]
    return f" That is the sum of {len(parts)} lines: {'; '.join(parts)}." if len(parts) > 1 else ""


def _trade(stated: ReconciliationDifference | StatementTrade) -> str:
    return f"{figure(stated.units, 'units')} for {figure(stated.proceeds, 'GC')}"


def _effect_adopt(arguments: Arguments) -> str:
    difference = _open(**read(arguments, difference_id=whole))
    loan = differences.loan_of(difference)
    order = TradeOrder.objects.filter(market=difference.market, request_id=difference.request_id).first()
    known = f"in the books, {order.status}" if order else f"unknown to the books, the loan's no. {difference.number}"
    return (
        f"{_says(difference)} That is booked, and cannot be undone. The order is {known}. Its loan {loan.loan_id} is"
        f" {loan.status}, owes {figure(loan.outstanding_balance, 'GC')} and has {figure(loan.collateral, 'units')};"
        " if it is not claimed yet, it is, whatever the price. Its sale then goes on."
    )


def _adopt(arguments: Arguments, *, asked_by: User, agreed_by: User) -> str:
    order = differences.adopt(**read(arguments, difference_id=whole), by=both(asked_by, agreed_by))
    return f"Booked: {figure(order.units_traded, 'units')} for {figure(order.proceeds, 'GC')}, by {order.request_id}."


def _explanation(arguments: Arguments) -> dict[str, Any]:
    return read(arguments, difference_id=whole, note=words)


def _effect_explain(arguments: Arguments) -> str:
    sent = _explanation(arguments)
    difference = _open(sent["difference_id"])
    return (
        f"{_says(difference)} {difference.get_kind_display()}. Nothing is booked, and nothing waits for it any more."
        f" It is explained so: {sent['note']}"
    )


def _explain(arguments: Arguments, *, asked_by: User, agreed_by: User) -> str:
    differences.explain(**_explanation(arguments), by=both(asked_by, agreed_by))
    return "The difference is closed."


def _held_sale(arguments: Arguments) -> Liquidation:
    liquidation_id = read(arguments, liquidation_id=whole)["liquidation_id"]
    found = Liquidation.objects.select_related("loan", "held_by").filter(pk=liquidation_id).first()
    if found is None or found.held_by is None:
        raise restored.NotHeld(f"Liquidation {liquidation_id} is not held.")
    return found


def _effect_release_sale(arguments: Arguments) -> str:
    sale = _held_sale(arguments)
    return (
        f"The sale of loan {sale.loan.loan_id} goes on, or its event is published, although it was held since the"
        f" {sale.held_by}, and no statements show what the markets traded since. What they did trade for it may be"
        " sold again."
    )


def _release_sale(arguments: Arguments, *, asked_by: User, agreed_by: User) -> str:
    restored.release_sale(_held_sale(arguments).pk, by=both(asked_by, agreed_by))
    return "The sale goes on."


def _lock_sale(arguments: Arguments) -> None:
    Liquidation.objects.select_for_update(of=("self",)).filter(pk=whole(arguments["liquidation_id"])).first()


def _holding_claims(arguments: Arguments) -> Restore:
    restore_id = read(arguments, restore_id=whole)["restore_id"]
    found = Restore.objects.filter(pk=restore_id, claims_released_at__isnull=True).first()
    if found is None:
        raise restored.NotHeld(f"No claims are held by restore {restore_id}.")
    return found


def _effect_release_claims(arguments: Arguments) -> str:
    restore = _holding_claims(arguments)
    return (
        "Prices claim loans again, from the moment of the agreement on. Applications and postings after"
        f" {instant(restore.since)} that the OTC service has not repeated by then are lost: a loan may be claimed that"
        " had more collateral, and would refuse the posting afterwards."
    )


def _release_claims(arguments: Arguments, *, asked_by: User, agreed_by: User) -> str:
    restored.release_claims(_holding_claims(arguments).pk, by=both(asked_by, agreed_by))
    return "Prices claim loans again."


def _effect_nothing_was_lost(arguments: Arguments) -> str:
    read(arguments)
    if not identity.objection():
        raise restored.NothingReplaced("The database is the accepted one already.")
    return (
        f"This database, {identity.present()}, becomes the bank's books as it is, and nothing is held. If it lacks a"
        " commit of the one before, units are sold twice."
    )


def _nothing_was_lost(arguments: Arguments, *, asked_by: User, agreed_by: User) -> str:
    restored.nothing_was_lost(by=both(asked_by, agreed_by))
    return "The database is the accepted one."


def _lock_evaluations(_arguments: Arguments) -> None:
    locks.exclusive(locks.EVALUATION)


_ACTIONS: tuple[tuple[str, str, str, Callable[[Arguments], None], Callable[[Arguments], str], Execute], ...] = (
    (ADOPT, "Adopt a trade", CLOSE_DIFFERENCES, _lock_difference, _effect_adopt, _adopt),
    (EXPLAIN, "Explain a difference", CLOSE_DIFFERENCES, _lock_difference, _effect_explain, _explain),
    (RELEASE_SALE, "Release a held sale", ANSWER_FOR_ORDERS, _lock_sale, _effect_release_sale, _release_sale),
    (
        RELEASE_CLAIMS, "Release claims", ANSWER_FOR_ORDERS, _lock_evaluations, _effect_release_claims, _release_claims,
    ),
    (
        NOTHING_WAS_LOST, "Accept a database that has lost nothing", ANSWER_FOR_ORDERS, _lock_evaluations,
        _effect_nothing_was_lost, _nothing_was_lost,
    ),
)  # fmt: skip
for _name, _title, _permission, _lock, _effect, _execute in _ACTIONS:
    register(Action(name=_name, title=_title, permission=_permission, lock=_lock, effect=_effect, execute=_execute))
