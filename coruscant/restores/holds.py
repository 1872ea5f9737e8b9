"""What waits after a restore: claims, and the sales that it may concern."""

from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.conf import settings
from django.db.models import Max, Q, QuerySet

from coruscant.errors import DomainError
from coruscant.restores.models import Restore

#: What ends a hold, by the names under which `liquidation` registers it; both need two people.
RELEASE_CLAIMS: Final = "liquidation.release_claims"
NOTHING_WAS_LOST: Final = "liquidation.nothing_was_lost"
#: How far a market's clock may be off ours.
CLOCKS_DIFFER: Final = timedelta(minutes=1)


class RestoreUnderWay(DomainError):
    """Something waits because of a restore."""

    code = "restore-under-way"
    title = "A restore holds sales or claims"
    status: ClassVar[int] = 503


def claims_are_held(applies_before: datetime) -> bool:
    """Whether a price that ended at this instant claims nobody: claims were held then, or still are.

    So a dip during the hold claims nobody afterwards: it was a price of books that lacked postings.
    """
    return Restore.objects.filter(
        Q(claims_released_at__isnull=True) | Q(claims_released_at__gte=applies_before)
    ).exists()


def claims_released_at() -> datetime | None:
    """When claims were released after the last restore; None if they never were, and never had to be."""
    return Restore.objects.aggregate(last=Max("claims_released_at"))["last"]  # type: ignore[no-any-return]


def claims_wait() -> bool:
    """Whether the OTC service may still have requests to repeat, of any restore."""
    return Restore.objects.filter(claims_released_at__isnull=True).exists()


def uncompared() -> Restore | None:
    """The restore whose gap no statements cover yet, the newest if there are several."""
    return Restore.objects.filter(compared_at__isnull=True).first()


def statements_cover(restore: Restore) -> tuple[datetime, datetime]:
    """From when to when statements must reach to show every trade that the books may lack, by any market's clock.

    What was counted as sent before the restore was begun leaves within LEASE_SECONDS, or not at all, and its call ends
    MARKET_TIMEOUT_SECONDS later. Whole seconds, as people write them.
    """
    last_call = timedelta(seconds=settings.LEASE_SECONDS + float(settings.MARKET_TIMEOUT_SECONDS))
    first, last = restore.since - CLOCKS_DIFFER, restore.begun_at + last_call + CLOCKS_DIFFER
    return first.replace(microsecond=0), (last + timedelta(microseconds=999_999)).replace(microsecond=0)


def require_none() -> None:
    """Raises RestoreUnderWay if sales or claims wait because of a restore."""
    if restore := under_way().first():
        raise RestoreUnderWay(f"Since the {restore}, sales or claims are held.")


def under_way() -> QuerySet[Restore]:
    """The restores that still hold something, the newest first."""
    return Restore.objects.filter(Q(compared_at__isnull=True) | Q(claims_released_at__isnull=True))
