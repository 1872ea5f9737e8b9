"""What waits after a restore: claims, and the sales that it may concern."""

from datetime import datetime
from typing import ClassVar

from django.db.models import Q, QuerySet

from coruscant.errors import DomainError
from coruscant.restores.models import Restore


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


def uncompared() -> Restore | None:
    """The restore whose gap no statements cover yet, the newest if there are several."""
    return Restore.objects.filter(compared_at__isnull=True).first()


def require_none() -> None:
    """Raises RestoreUnderWay if sales or claims wait because of a restore."""
    if restore := under_way().first():
        raise RestoreUnderWay(f"Since the {restore}, sales or claims are held.")


def under_way() -> QuerySet[Restore]:
    """The restores that still hold something, the newest first."""
    return Restore.objects.filter(Q(compared_at__isnull=True) | Q(claims_released_at__isnull=True))
