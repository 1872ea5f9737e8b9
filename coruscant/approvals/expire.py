"""What nobody has decided in time expires."""

import structlog

from coruscant import clock, history
from coruscant.approvals.models import Approval, Outcome

log = structlog.get_logger(__name__)


def expire_overdue() -> int:
    """Mark what nobody has decided before its time; returns how many. Skips what somebody is deciding just now.

    Locks: the approvals. Idempotent. Nobody can agree to an overdue approval that is not marked yet.
    """
    with history.acting_as("system", None), history.cause("expire", correlation_id="approvals"):
        now = clock.now()
        overdue = Approval.objects.select_for_update(skip_locked=True).filter(
            outcome=Outcome.ASKED, expires_at__lte=now
        )
        found = [approval.pk for approval in overdue]
        Approval.objects.filter(pk__in=found).update(outcome=Outcome.EXPIRED, decided_at=now)
    for approval_id in found:
        log.info("approval_expired", approval_id=approval_id)
    return len(found)
