"""Moving loans to other terms as an act of two people: what both are shown, and what is done when they agree.

Importing it registers the action; the admin does (docs/decisions/0024).
"""

from typing import Any, Final

from django.contrib.auth.models import User

from coruscant.approvals.actions import Action, register
from coruscant.approvals.arguments import Arguments, read, texts, whole
from coruscant.money import decimal_string, parse_amount
from liquidation import moves
from liquidation.moves import Move
from loans import terms
from loans.models import LoanTerms
from loans.terms_two_people import PERMISSION
from pricing import best_price

MOVE: Final = "liquidation.move_loans"
#: How many of the loans that would be called, and of those that would be sold, both people are shown.
SHOWN: Final = 20


def _complete(arguments: Arguments) -> Arguments:
    """What the move would do now: both are shown it, and it is the most that may be done."""
    move, loans = moves.planned(**read(arguments, of=whole, to=whole))
    price = moves.usable(best_price.current_uncached())
    found = moves.prospect(move, price)
    return {
        "of": move.of, "to": move.to, "up_to": move.up_to, "loans": loans, "price": price,
        "sold": len(found.sold), "first_sold": found.sold[:SHOWN],
        "called": len(found.called), "first_called": found.called[:SHOWN],
    }  # fmt: skip


def _read(arguments: Arguments) -> dict[str, Any]:
    return read(
        arguments, of=whole, to=whole, up_to=whole, loans=whole, price=parse_amount, sold=whole, first_sold=texts,
        called=whole, first_called=texts,
    )  # fmt: skip


def _move(arguments: Arguments) -> Move:
    sent = _read(arguments)
    return Move(sent["of"], sent["to"], sent["up_to"])


def _lock(arguments: Arguments) -> None:
    moves.lock(_move(arguments))


def _effect(arguments: Arguments) -> str:
    """Of what was asked alone: what has changed since is compared when it is carried out."""
    sent = _read(arguments)
    old, new = (LoanTerms.objects.get(version=sent[name]) for name in ("of", "to"))
    oldest = f" They are the oldest {moves.MOST:,}: ask again for the others." if sent["loans"] == moves.MOST else ""
    return (
        f"{sent['loans']} loans that are new or active get {new}: {terms.in_words(new.thresholds)}.\n"
        f"Now they are under {old}: {terms.in_words(old.thresholds)}.{oldest}\n"
        f"Prices up to the moment of the agreement are evaluated under {old} first, and never under {new}.\n"
        f"At {decimal_string(sent['price'])} GC a unit, the best price when this was asked, {new} would\n"
        f"- sell {_listed(sent['sold'], sent['first_sold'])}\n"
        f"- call {_listed(sent['called'], sent['first_called'])}\n"
        "If more would be sold or called by then, nothing is done."
    )


def _listed(count: int, first: list[str]) -> str:
    if not count:
        return "none of them"
    more = f", and {count - len(first)} more" if count > len(first) else ""
    return f"{count} of them: {', '.join(first)}{more}"


def _execute(arguments: Arguments, *, asked_by: User, agreed_by: User) -> str:
    sent = _read(arguments)
    moved = moves.carry_out(_move(arguments), most_sold=sent["sold"], most_called=sent["called"])
    return f"{moved} loans are under the terms {sent['to']} now."


register(
    Action(
        name=MOVE,
        title="Move loans to other terms",
        permission=PERMISSION,
        lock=_lock,
        effect=_effect,
        execute=_execute,
        complete=_complete,
    )
)
