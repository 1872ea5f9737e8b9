"""Writing loan events, in the transaction of the transition that they tell of."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db.models import Max, OuterRef, Subquery
from django.db.models.functions import Coalesce

from coruscant import ids
from coruscant.restores.models import Restore
from loans.events import topic
from loans.events.body import LoanThen, event_body
from loans.events.models import LoanEvent, LoanEventType
from loans.models import Loan
from loans.thresholds import thresholds

_LAST = LoanEvent.objects.filter(loan=OuterRef("pk")).order_by("-sequence").values("sequence")[:1]


def write_events(event_type: LoanEventType, loan_pks: Sequence[int], price: Decimal | None, at: datetime) -> None:
    """Write an event of this type for each of these loans (primary keys); none while no topic is named.

    The caller has locked the loans, and written the transition, in its transaction: the lock makes the numbering of a
    loan's events right. `price` is the best price behind the transition, `at` its instant, as it is in the books.
    """
    if not loan_pks or not topic.named():
        return
    namespace, limits = settings.INSTALLATION_NAMESPACE, thresholds()
    restore = Restore.objects.aggregate(last=Max("pk"))["last"] or 0
    events = []
    for loan in _loans(loan_pks):
        event_id = ids.event_id(
            namespace, application=loan.request_id, loan_id=loan.loan_id, kind=event_type.value, number=loan.last + 1,
            restore=restore,
        )  # fmt: skip
        body = event_body(event_id, event_type.value, loan, price, limits, at)
        events.append(
            LoanEvent(
                loan_id=loan.pk,
                sequence=loan.last + 1,
                event_type=event_type,
                event_id=event_id,
                body=body,
                created_at=at,
                due_at=at,
            )
        )
    LoanEvent.objects.bulk_create(events)


def _loans(loan_pks: Sequence[int]) -> list[LoanThen]:
    """The loans as they are now, in id order."""
    columns = (
        "pk", "loan_id", "borrower_id", "request_id", "status", "amount", "outstanding_balance", "collateral",
    )  # fmt: skip
    found = Loan.objects.filter(pk__in=loan_pks).order_by("pk").annotate(last=Coalesce(Subquery(_LAST), 0))
    return [LoanThen(*row) for row in found.values_list(*columns, "last")]
