"""The loans of a past interval as they were then, from the history that the database keeps, and what became of them.

They are read in batches by primary key, so any book takes the same memory. Of each batch only those loans are returned
that some price of the interval may call or sell.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import connection
from django.db.models import Max

from coruscant import money
from desk.replay.engine import Fate, Figures, LoanHistory, Step
from liquidation.models import Liquidation
from loans.models import Loan, MarginCall
from loans.terms import ByVersion

#: Loans of one batch, before those are left out to which no price can matter.
BATCH: Final = 5000
#: Above every debt per unit.
_BEYOND_ALL: Final = Decimal(10) ** 46

# Each entry that holds at some time of the interval, of loans that were active at some time of it with an LTV that may
# have reached the bound. A claim ends what is read: whoever was not claimed would have kept the figures of then.
_ENTRIES = """
    WITH entries AS (
        SELECT id, history_id, history_date, status, outstanding_balance, collateral, prices_apply_from, terms_id,
               lead(history_date) OVER (PARTITION BY id ORDER BY history_id) AS until
        FROM loans_historicalloan WHERE id > %(after)s AND id <= %(up_to)s AND history_date < %(end)s
    ), held AS (
        SELECT *, bool_or(status = 'active' AND outstanding_balance >= %(bound)s * collateral)
               OVER (PARTITION BY id) AS may_matter
        FROM entries WHERE status IN ('new', 'active') AND (until IS NULL OR until >= %(start)s)
    )
    SELECT id, history_date, outstanding_balance, collateral,
           CASE status WHEN 'active' THEN prices_apply_from END, terms_id
    FROM held WHERE may_matter ORDER BY id, history_id
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some loans: those that prices may matter to, and what became of those to which something happened.

    `up_to`: this and all batches before have all loans with primary keys up to it.
    """

    loans: tuple[LoanHistory, ...]
    reality: Mapping[int, Fate]
    up_to: int


def batches(start: datetime, end: datetime, thresholds: ByVersion, lowest: Decimal | None) -> Iterator[Batch]:
    """All loans over [start, end), held to these LTVs.

    No price of the interval was below `lowest` (None: there was no price, which matters to nobody).
    """
    least = min(min(ltvs.margin_call_ltv, ltvs.liquidation_ltv) for ltvs in thresholds.values())
    last = Loan.objects.aggregate(last=Max("pk"))["last"] or 0
    with money.exact():
        bound = _BEYOND_ALL if lowest is None else money.round_down(least * lowest, money.DECIMAL_PLACES)
    for after in range(0, last, BATCH):
        keys = {"after": after, "up_to": after + BATCH}
        with connection.cursor() as cursor:
            cursor.execute(_ENTRIES, {**keys, "start": start, "end": end, "bound": bound})
            figures: dict[int, list[Figures]] = {}
            for pk, since, balance, collateral, applies, version in cursor.fetchall():
                one = Figures(since, balance, collateral, applies, thresholds[version])
                figures.setdefault(pk, []).append(one)
        calls = list(
            MarginCall.objects.filter(loan__gt=after, loan__lte=after + BATCH, opened_at__lt=end).order_by("pk")
        )
        yield Batch(tuple(_loans(figures, calls, start)), _reality(calls, keys, start, end), after + BATCH)


def names(keys: Iterable[int]) -> dict[int, str]:
    """The loanIds of loans by their primary keys."""
    return dict(Loan.objects.filter(pk__in=list(keys)).values_list("pk", "loan_id"))


def _loans(figures: Mapping[int, list[Figures]], calls: Iterable[MarginCall], start: datetime) -> Iterator[LoanHistory]:
    before: dict[int, list[MarginCall]] = {}
    for call in calls:
        if call.opened_at < start:
            before.setdefault(call.loan_id, []).append(call)
    for pk, those in figures.items():
        earlier = before.get(pk, [])
        ended = [call for call in earlier if call.closed_at is not None and call.closed_at < start]
        cleared_to = max((call.cleared_to for call in ended if call.cleared_to is not None), default=None)
        yield LoanHistory(pk, tuple(those), len(ended) < len(earlier), cleared_to)


def _reality(calls: Iterable[MarginCall], keys: dict[str, int], start: datetime, end: datetime) -> dict[int, Fate]:
    found: dict[int, Fate] = {}
    for call in calls:
        if call.opened_at >= start:
            step = Step(call.price_at, call.price, call.opened_at, call.outstanding_balance, call.collateral)
            cleared = call.closed_at if call.close_reason == MarginCall.CloseReason.CLEARED else None
            before = found.get(call.loan_id, Fate())
            found[call.loan_id] = Fate((*before.calls, step), (*before.cleared_at, cleared))
    claims = Liquidation.objects.filter(
        loan__gt=keys["after"], loan__lte=keys["up_to"], claimed_at__gte=start, claimed_at__lt=end
    )
    for claim in claims:
        before = found.get(claim.loan_id, Fate())
        step = Step(claim.price_at, claim.price, claim.claimed_at, claim.balance_at_claim, claim.collateral_at_claim)
        found[claim.loan_id] = Fate(before.calls, before.cleared_at, step)
    return found
