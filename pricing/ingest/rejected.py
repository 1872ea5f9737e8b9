"""What is kept of the body of a rejected message: its beginning, for a while."""

from datetime import datetime

from django.db.models import QuerySet

from coruscant.text import escaped
from pricing.models import RejectedMessage

MOST_BYTES = 64 * 1024


def kept(body: str) -> str:
    """A body as it is stored: what PostgreSQL cannot store as escapes, and of all that the first 64 KiB."""
    return escaped(body).encode()[:MOST_BYTES].decode(errors="ignore")


def expire(received_before: datetime, *, batch: int, max_batches: int) -> int:
    """Empty the bodies of messages received before an instant, batch by batch; returns how many."""
    total = 0
    for _ in range(max_batches):
        rows = _with_body(received_before).order_by("received_at").values_list("id", flat=True)[:batch]
        emptied = RejectedMessage.objects.filter(pk__in=list(rows)).update(body="")
        total += emptied
        if emptied < batch:
            break
    return total


def overdue(received_before: datetime) -> bool:
    """Whether a body from before an instant is still there."""
    return _with_body(received_before).exists()


def _with_body(received_before: datetime) -> QuerySet[RejectedMessage]:
    return RejectedMessage.objects.filter(received_at__lt=received_before).exclude(body="")
