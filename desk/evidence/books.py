"""Reading every row about a loan, as of one instant, in a number of queries that does not depend on the loan."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

from django.db import models
from django.db.models import Q, QuerySet

from coruscant.approvals.models import Approval
from coruscant.controls.models import Control
from coruscant.history.records import history_of
from coruscant.restores.models import Restore
from liquidation.controls.models import WithheldClaim
from liquidation.models import ClaimFailure, Liquidation, LiquidationEvent, OrderAnswer, TradeOrder
from liquidation.moves_two_people import MOVE
from liquidation.reconciliation.models import ReconciliationDifference, StatementTrade
from loans.events.models import LoanEvent
from loans.models import CollateralPosting, Loan, LoanTerms, MarginCall, MarginNotice
from loans.selectors import LoanNotFound

Row = TypeVar("Row", bound=models.Model)

#: The audited tables whose history may tell of a loan, by the names that the timeline gives them, in the order in which
#: it lists what has the same instant.
AUDITED: dict[str, type[models.Model]] = {
    "loan": Loan,
    "posting": CollateralPosting,
    "marginCall": MarginCall,
    "liquidation": Liquidation,
    "order": TradeOrder,
    "event": LiquidationEvent,
    "difference": ReconciliationDifference,
    "approval": Approval,
    "control": Control,
    "restore": Restore,
}


@dataclass(frozen=True, slots=True)
class Books:
    """All rows about one loan, the oldest first. `history` has the history rows of each table of AUDITED."""

    loan: Loan
    terms: Sequence[LoanTerms]
    postings: Sequence[CollateralPosting]
    margin_notices: Sequence[MarginNotice]
    margin_calls: Sequence[MarginCall]
    withheld: Sequence[WithheldClaim]
    loan_events: Sequence[LoanEvent]
    orders: Sequence[TradeOrder]
    answers: Sequence[OrderAnswer]
    stated: Sequence[StatementTrade]
    differences: Sequence[ReconciliationDifference]
    approvals: Sequence[Approval]
    restores: Sequence[Restore]
    history: dict[str, Sequence[Any]]

    @property
    def liquidation(self) -> Liquidation | None:
        """The loan's liquidation, if it was claimed."""
        return getattr(self.loan, "liquidation", None)

    @property
    def event(self) -> LiquidationEvent | None:
        """The event of the liquidation, if it is settled."""
        return getattr(self.liquidation, "event", None)

    @property
    def claim_failure(self) -> ClaimFailure | None:
        """Why the database refuses the loan's claim, if it does."""
        return getattr(self.loan, "claim_failure", None)


def read(loan_id: str, newest: int | None = None) -> Books:
    """Every row about the loan of this loanId, or the `newest` of each kind and of the loan's and the sale's history.

    Raises LoanNotFound. Locks nothing; call it in `one_instant`.
    """
    of_loan = "terms", "liquidation__terms", "liquidation__event", "claim_failure"
    loan = Loan.objects.select_related(*of_loan).filter(loan_id=loan_id).first()
    if loan is None:
        raise LoanNotFound(f"There is no loan {loan_id}.")
    loan_history = _history("loan", [loan.pk], newest)
    sale: Liquidation | None = getattr(loan, "liquidation", None)
    event: LiquidationEvent | None = getattr(sale, "event", None)
    postings = _last(loan.postings.order_by("-pk"), newest)
    margin_calls = _last(loan.margin_calls.order_by("-pk"), newest)
    withheld = _last(WithheldClaim.objects.select_related("control").filter(loan=loan).order_by("-pk"), newest)
    orders = _last(TradeOrder.objects.filter(liquidation=sale).order_by("-sequence"), newest) if sale else []
    differences = _differences(loan, orders)
    restores = list(_restores(loan, sale, event).order_by("pk"))
    approvals = list(_approvals(loan, sale, orders, differences, restores, _moves(loan_history)).order_by("pk"))
    rows: dict[str, Sequence[models.Model]] = {
        "posting": postings,
        "marginCall": margin_calls,
        "liquidation": [sale] if sale else [],
        "order": orders,
        "event": [event] if event else [],
        "difference": differences,
        "approval": approvals,
        "control": [one.control for one in withheld],
        "restore": restores,
    }
    history = {table: _history(table, [row.pk for row in of_table], newest) for table, of_table in rows.items()}
    answers = OrderAnswer.objects.filter(order__in=orders).order_by("-order_id", "-send", "-received_at", "-pk")
    return Books(
        loan=loan,
        terms=_terms(loan, sale, loan_history, margin_calls),
        postings=postings,
        margin_notices=_last(loan.margin_notices.order_by("-pk"), newest),
        margin_calls=margin_calls,
        withheld=withheld,
        loan_events=_last(loan.events.order_by("-sequence"), newest),
        orders=orders,
        answers=_last(answers, newest),
        stated=_stated(orders, differences),
        differences=differences,
        approvals=approvals,
        restores=restores,
        history={"loan": loan_history, **history},
    )


def _last(newest_first: QuerySet[Row], newest: int | None) -> list[Row]:
    """Rows, or the newest so many of them, the oldest first."""
    return list(newest_first[:newest])[::-1]


def _history(table: str, keys: Sequence[Any], newest: int | None) -> Sequence[Any]:
    """The history of rows, the oldest first."""
    entries: QuerySet[Any] = history_of(AUDITED[table])._default_manager.filter(id__in=keys)
    return _last(entries.order_by("-history_id"), newest)


def _moves(loan_history: Sequence[Any]) -> set[tuple[int, int]]:
    """From which terms to which the loan was moved."""
    versions = [entry.terms_id for entry in loan_history]
    return {(old, new) for old, new in pairwise(versions) if old != new}


def _terms(
    loan: Loan, sale: Liquidation | None, loan_history: Sequence[Any], margin_calls: Sequence[MarginCall]
) -> list[LoanTerms]:
    """All versions that any of these rows names."""
    versions = {loan.terms_id, *(entry.terms_id for entry in loan_history), *(call.terms_id for call in margin_calls)}
    if sale:
        versions.add(sale.terms_id)
    return list(LoanTerms.objects.filter(version__in=versions).order_by("version"))


def _differences(loan: Loan, orders: Sequence[TradeOrder]) -> list[ReconciliationDifference]:
    """What a statement and the books had otherwise, of this loan or one of its orders."""
    ours = Q(loan=loan) | Q(order__in=orders)
    return list(ReconciliationDifference.objects.select_related("reconciliation").filter(ours).order_by("pk"))


def _stated(orders: Sequence[TradeOrder], differences: Sequence[ReconciliationDifference]) -> list[StatementTrade]:
    """What markets state of the loan's orders, those included that only a difference names."""
    named = {(order.market, order.request_id) for order in orders}
    named |= {(one.market, one.request_id) for one in differences}
    if not named:
        return []
    lines = StatementTrade.objects.select_related("reconciliation").filter(
        market__in={market for market, _request in named}, request_id__in={request for _market, request in named}
    )
    return [line for line in lines.order_by("pk") if (line.market, line.request_id) in named]


def _restores(loan: Loan, sale: Liquidation | None, event: LiquidationEvent | None) -> QuerySet[Restore]:
    """Restores that were not over when the loan was applied for, and went back to before its event was sent.

    No row says what else a restore has touched: it may have taken away what nobody knows of any more.
    """
    began, ended = loan.created_at, event and event.sent_at
    held = Q(compared_at__isnull=True) | Q(compared_at__gte=began)
    claims_held = Q(claims_released_at__isnull=True) | Q(claims_released_at__gte=began)
    before_the_end = Q(since__lte=ended) if ended else Q()
    return Restore.objects.filter(((held | claims_held) & before_the_end) | Q(pk=sale and sale.held_by_id))


def _approvals(
    loan: Loan,
    sale: Liquidation | None,
    orders: Sequence[TradeOrder],
    differences: Sequence[ReconciliationDifference],
    restores: Sequence[Restore],
    moves: set[tuple[int, int]],
) -> QuerySet[Approval]:
    """What people asked for whose arguments name the loan, or a row of it; whatever became of that."""
    named = Q(arguments__contains={"loan_id": loan.loan_id})
    if sale:
        named |= Q(arguments__contains={"liquidation_id": sale.pk})
    for name, rows in (("order_id", orders), ("difference_id", differences), ("restore_id", restores)):
        for row in rows:
            named |= Q(arguments__contains={name: row.pk})
    for old, new in moves:
        named |= Q(action=MOVE, arguments__contains={"of": old, "to": new}, arguments__up_to__gte=loan.pk)
    return Approval.objects.filter(named)
