"""When a credential was last used: written seldom, and never at the cost of the call."""

from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import DatabaseError, transaction
from knox.models import AuthToken

from coruscant import clock
from loans.clients.models import CredentialUse

log = structlog.get_logger(__name__)

#: The time that is kept is at most so old.
EVERY: Final = timedelta(minutes=1)


def remember_use(credential: AuthToken, last: datetime | None) -> None:
    """Keep that the credential is used now, if `last`, which was read with it, is a minute ago.

    Waits for no lock: who writes at the same moment writes the same. What the database refuses is logged and changes
    nothing for the call, such as that the credential is revoked meanwhile.
    """
    now = clock.now()
    if last and now - last < EVERY:
        return
    try:
        with transaction.atomic():
            if last is None:
                CredentialUse.objects.bulk_create(
                    [CredentialUse(credential=credential, last_used_at=now)], ignore_conflicts=True
                )
            else:
                due = CredentialUse.objects.filter(pk=credential.pk, last_used_at__lte=now - EVERY)
                CredentialUse.objects.filter(pk__in=due.select_for_update(skip_locked=True)).update(last_used_at=now)
    except DatabaseError as error:
        log.warning("credential_use_not_kept", key=credential.token_key, error=type(error).__name__)
