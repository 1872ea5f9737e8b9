"""Loan terms: which are in use, which ones a new loan gets, and how new ones are made.

Rows are read anew whenever they decide something: a transaction that made a version may have been rolled back, or lost
by a restore, so no process remembers one.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import ClassVar, Final

import structlog
from django.conf import settings
from django.db import connection
from django.db.models import Q

from coruscant import clock, locks, money
from coruscant.errors import DomainError
from coruscant.money import ZERO, decimal_string
from loans.models import LoanTerms
from loans.risk import Thresholds
from pricing import reading
from pricing.guard import Guard, Mode, in_force

log = structlog.get_logger(__name__)

#: The LTVs of each version that a search has to look for.
ByVersion = Mapping[int, Thresholds]

#: The settings that the first terms are made of, by the LTV that each stands for.
SETTINGS: Final = {
    "activation_ltv": "ACTIVATION_LTV",
    "margin_call_ltv": "WARNING_LTV",
    "margin_call_clear_ltv": "WARNING_CLEAR_LTV",
    "liquidation_ltv": "LIQUIDATION_LTV",
}

#: What else terms must fulfil, beside the order of their LTVs: each returns an objection, as a sentence, or nothing.
conditions: list[Callable[[Thresholds], str | None]] = []

_last_alert = ""
_last_alert_of_guard = ""

#: SQL for the terms in use, for a statement that runs anyway; pass the value it selects to `read`. A version is in use
#: while a loan that is new or active is under it, and so is the newest. Each costs two probes of an index, in an order
#: that begins where few entries are dead.
COLUMN: Final = """(
    SELECT json_agg(json_build_array(t.version, t.activation_ltv::text, t.margin_call_ltv::text,
        t.margin_call_clear_ltv::text, t.liquidation_ltv::text) ORDER BY t.version)::text
    FROM loans_loanterms t
    WHERE t.version = (SELECT max(version) FROM loans_loanterms)
    OR (SELECT l.id FROM loans_loan l WHERE l.status = 'active' AND l.terms_id = t.version
        ORDER BY l.debt_per_unit, l.id LIMIT 1) IS NOT NULL
    OR (SELECT l.id FROM loans_loan l WHERE l.status = 'new' AND l.terms_id = t.version
        ORDER BY l.debt_per_unit DESC, l.id DESC LIMIT 1) IS NOT NULL
)"""


class TermsDoNotFit(DomainError):
    """The LTVs contradict each other, or something that they depend on."""

    code = "terms-do-not-fit"
    title = "These terms cannot be"
    status: ClassVar[int] = 422


class NothingNew(DomainError):
    """The newest terms have these LTVs already."""

    code = "nothing-new"
    title = "These are the newest terms"
    status: ClassVar[int] = 409


@lru_cache(maxsize=4)  # the same text is read at every evaluation until a version is made, or no longer used
def read(column: str) -> ByVersion:
    """The terms in use, from what a statement selected as `COLUMN`. The newest version comes last."""
    return {version: Thresholds(*map(Decimal, ltvs)) for version, *ltvs in json.loads(column)}


def in_use() -> ByVersion:
    """The terms in use: those of any loan that is new or active, and the newest."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {COLUMN}")
        (column,) = cursor.fetchone()
    return read(column)


def of_versions(versions: Iterable[int]) -> ByVersion:
    """The LTVs of these versions: for rows that are locked, since a lock may have been waited for."""
    return {found.version: found.thresholds for found in LoanTerms.objects.filter(version__in=set(versions))}


def newest() -> LoanTerms:
    """The terms that were made last."""
    found = LoanTerms.objects.first()
    if found is None:
        raise RuntimeError("there are no terms: `migrate` makes the first")
    return found


def for_a_new_loan() -> tuple[LoanTerms, datetime]:
    """The terms of a loan that is opened now, and this instant.

    Until the transaction ends nobody makes new terms: so a loan has the terms that were valid when it was opened.
    """
    locks.share(locks.TERMS)
    now = clock.now()
    valid = LoanTerms.objects.filter(Q(valid_from__isnull=True) | Q(valid_from__lte=now)).first()
    if valid is None:
        raise RuntimeError("there are no terms: `migrate` makes the first")
    return valid, now


def make(found: Thresholds, *, asked_by: str, agreed_by: str) -> LoanTerms:
    """Make terms for loans that are opened from now on. To be agreed by two people.

    Call it in a transaction. Waits for whoever is opening a loan. Raises TermsDoNotFit, NothingNew.
    """
    locks.exclusive(locks.TERMS)
    last = newest()
    check(found, last)
    made = LoanTerms.objects.create(
        version=last.version + 1,
        activation_ltv=found.activation_ltv,
        margin_call_ltv=found.margin_call_ltv,
        margin_call_clear_ltv=found.margin_call_clear_ltv,
        liquidation_ltv=found.liquidation_ltv,
        # After a clock that was set back, too: of two versions the later one is valid later.
        valid_from=max(clock.now(), last.valid_from) if last.valid_from else clock.now(),
        asked_by=asked_by,
        agreed_by=agreed_by,
    )
    log.warning("loan_terms_made", version=made.version, terms=in_words(found), asked_by=asked_by, agreed_by=agreed_by)
    return made


def check(found: Thresholds, last: LoanTerms) -> None:
    """Whether terms can follow the last ones. Raises TermsDoNotFit with all objections, NothingNew."""
    if said := objections(found):
        raise TermsDoNotFit(" ".join(said))
    if found == last.thresholds:
        raise NothingNew(f"The newest {last} have these LTVs already.")


def objections(found: Thresholds) -> list[str]:
    """What speaks against terms, a sentence each."""
    ltvs = [getattr(found, name) for name in SETTINGS]
    said = []
    if not all(0 < ltv <= 1 and ltv == money.round_down(ltv, money.DECIMAL_PLACES) for ltv in ltvs):
        said.append(f"Each LTV is above 0 and at most 1, with up to {money.DECIMAL_PLACES} decimals.")
    if not found.activation_ltv < found.liquidation_ltv:
        said.append("The activation LTV must be below the liquidation LTV.")
    if not found.margin_call_clear_ltv <= found.margin_call_ltv <= found.liquidation_ltv:
        said.append("The margin call LTV must lie between the clearing LTV and the liquidation LTV.")
    return said + [sentence for condition in conditions if (sentence := condition(found))]


def deepest_fall() -> Decimal:
    """By what share a price may fall between a loan's activation and its liquidation, under any terms."""
    return max((_fall(row.thresholds) for row in LoanTerms.objects.all()), default=ZERO)


def is_no_jump(found: Thresholds) -> str | None:
    """An objection if the guard over prices would take the fall from activation to liquidation for a jump."""
    guard = in_force(reading.guards(), clock.now())
    if _lives_through_no_jump(found, guard):
        return None
    return (
        f"The guard takes a fall of more than {decimal_string(guard.jump)} for a jump; these loans live through more."
    )


def difference_from_guard(found: ByVersion, guard: Guard) -> str:
    """Which of these terms the guard in force does not fit, as one sentence; empty if it fits all of them."""
    jumping = [str(version) for version, ltvs in found.items() if not _lives_through_no_jump(ltvs, guard)]
    if not jumping:
        return ""
    return (
        f"The guard takes a fall of more than {decimal_string(guard.jump)} for a jump; loans under the terms"
        f" {', '.join(jumping)} may be liquidated by a fall as deep as that."
    )


def alert_if_guard_does_not_fit(found: ByVersion, guard: Guard) -> None:
    """Log an error if the guard does not fit these terms in use: once a process and difference."""
    global _last_alert_of_guard  # noqa: PLW0603
    why = difference_from_guard(found, guard)
    if why and why != _last_alert_of_guard:
        log.error("guard_does_not_fit_terms", why=why)
    _last_alert_of_guard = why


def _lives_through_no_jump(found: Thresholds, guard: Guard) -> bool:
    return guard.mode is Mode.OFF or _fall(found) < guard.jump


def _fall(found: Thresholds) -> Decimal:
    with money.exact():
        return 1 - found.activation_ltv / found.liquidation_ltv


def from_settings() -> Thresholds:
    """The LTVs of the settings, of which the first terms were made."""
    return Thresholds(**{ltv: getattr(settings, name) for ltv, name in SETTINGS.items()})


def difference_from_settings(last: Thresholds | None = None) -> str:
    """How the settings differ from the newest terms (read, if not given), as one sentence; empty if they do not."""
    last = last or newest().thresholds
    differing = [
        f"{name}={decimal_string(getattr(settings, name))}, not {decimal_string(getattr(last, ltv))}"
        for ltv, name in SETTINGS.items()
        if getattr(settings, name) != getattr(last, ltv)
    ]
    return f"The settings differ from the newest terms, which decide: {'; '.join(differing)}." if differing else ""


def alert_if_settings_differ(found: ByVersion) -> None:
    """Log an error if the settings differ from the newest of these terms in use: once a process and difference."""
    global _last_alert  # noqa: PLW0603
    why = difference_from_settings(found[max(found)])
    if why and why != _last_alert:
        log.error("terms_differ_from_settings", why=why)
    _last_alert = why


def in_words(found: Thresholds) -> str:
    """Terms as people read them, exactly."""
    names: Sequence[tuple[str, Decimal]] = (
        ("activation at or below", found.activation_ltv),
        ("margin call at or above", found.margin_call_ltv),
        ("cleared below", found.margin_call_clear_ltv),
        ("liquidation at or above", found.liquidation_ltv),
    )
    with money.exact():
        return ", ".join(f"{words} {decimal_string(ltv * 100)} %" for words, ltv in names)
