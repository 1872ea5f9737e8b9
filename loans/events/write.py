"""Writing loan events, in the transaction of the transition that they tell of."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce

from coruscant.any_of import AnyOf, array
from loans import terms
from loans.events.body import LoanThen, id_and_body
from loans.events.models import LoanEvent, LoanEventTopic, LoanEventType
from loans.models import Loan
from loans.representation import instant_string

# Ids and bodies come as lines, since a body has none of its own, and an array of texts takes longer to quote than all
# the rest (docs/decisions/0019).
_INSERT = r"""
    INSERT INTO loans_loanevent
        (loan_id, sequence, event_type, event_id, body, created_at, due_at, sends, message_id)
    SELECT loan_id, sequence, %(type)s, event_id, body, %(at)s, %(at)s, 0, ''
    FROM unnest(%(loans)s::bigint[], %(sequences)s::int[], string_to_array(%(ids)s, E'\n')::uuid[],
                string_to_array(%(bodies)s, E'\n')) AS event(loan_id, sequence, event_id, body)
"""
_LAST = LoanEvent.objects.filter(loan=OuterRef("pk")).order_by("-sequence").values("sequence")[:1]


def write_events(event_type: LoanEventType, loan_pks: Sequence[int], price: Decimal | None, at: datetime) -> None:
    """Write an event of this type for each of these loans (primary keys); none while no topic is named.

    The caller has locked the loans, and written the transition, in its transaction: the lock makes the numbering of a
    loan's events right. `price` is the best price behind the transition, `at` its instant, as it is in the books.
    """
    if not loan_pks or not LoanEventTopic.objects.exists():
        return
    namespace, loans = settings.INSTALLATION_NAMESPACE, _loans(loan_pks)
    of_terms = terms.of_versions(loan.terms for loan in loans)
    told_at = instant_string(at)
    events = [id_and_body(namespace, event_type.value, loan, price, of_terms[loan.terms], told_at) for loan in loans]
    written: dict[str, Any] = {
        "loans": array(loan.pk for loan in loans), "sequences": array(loan.last + 1 for loan in loans),
        "type": event_type.value,
        "ids": "\n".join(str(event_id) for event_id, _body in events),
        "bodies": "\n".join(body for _event_id, body in events), "at": at,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, written)


def _loans(loan_pks: Sequence[int]) -> list[LoanThen]:
    """The loans as they are now, in id order."""
    columns = ("pk", "loan_id", "borrower_id", "status", "amount", "outstanding_balance", "collateral", "terms_id")
    found = Loan.objects.filter(AnyOf("pk", loan_pks)).order_by("pk").annotate(last=Coalesce(Subquery(_LAST), 0))
    return [LoanThen(*row) for row in found.values_list(*columns, "last")]
