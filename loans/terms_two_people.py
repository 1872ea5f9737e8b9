"""New terms as an act of two people: what both are shown, and what is done when they agree.

Importing it registers the action; the admin does (docs/decisions/0024).
"""

from decimal import Decimal
from typing import Final

from django.contrib.auth.models import User

from coruscant import locks
from coruscant.approvals.actions import Action, register
from coruscant.approvals.arguments import Arguments, read
from coruscant.money import decimal_string, parse_amount
from loans import terms
from loans.risk import Thresholds

MAKE: Final = "loans.make_terms"
#: What it takes to ask for new terms, for a move of loans to other terms, and to agree to either.
PERMISSION: Final = "loans.add_loanterms"


def _ltvs(arguments: Arguments) -> Thresholds:
    readers = dict.fromkeys(terms.SETTINGS, parse_amount)
    found: dict[str, Decimal] = read(arguments, **readers)
    return Thresholds(**found)


def _lock(_arguments: Arguments) -> None:
    locks.exclusive(locks.TERMS)


def _effect(arguments: Arguments) -> str:
    ltvs, last = _ltvs(arguments), terms.newest()
    terms.check(ltvs, last)
    settings = ", ".join(f"{name}={decimal_string(getattr(ltvs, ltv))}" for ltv, name in terms.SETTINGS.items())
    return (
        f"Loans that are opened from the moment of the agreement on get terms {last.version + 1}:"
        f" {terms.in_words(ltvs)}.\n"
        f"Until then they get terms {last.version}: {terms.in_words(last.thresholds)}. Loans that are open by then keep"
        f" their terms.\n"
        f"Set {settings} afterwards: until then the service says that they differ, and does not migrate."
    )


def _make(arguments: Arguments, *, asked_by: User, agreed_by: User) -> str:
    made = terms.make(_ltvs(arguments), asked_by=asked_by.get_username(), agreed_by=agreed_by.get_username())
    return f"Loans that are opened from now on get {made}."


register(
    Action(
        name=MAKE,
        title="Make new loan terms",
        permission=PERMISSION,
        lock=_lock,
        effect=_effect,
        execute=_make,
    )
)
