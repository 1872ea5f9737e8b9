"""What the bank keeps of a client of the API beside its user and its credentials, which are Django's and knox's.

Written only by `scopes` and `use`.
"""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from coruscant.history.records import AuditedHistory


class Scope(models.TextChoices):
    """Which loans a client may see and post to."""

    ALL = "all", "All loans"
    OWN = "own", "The loans that it has opened"


class ApiClient(models.Model):
    """A client's scope. A user without a row has the scope `all`."""

    user: Any = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="api_client")
    scope = models.CharField(max_length=8, choices=Scope.choices, default=Scope.ALL)

    history = AuditedHistory()

    class Meta:
        ordering = ("-id",)
        verbose_name = "API client"
        constraints = [models.CheckConstraint(condition=Q(scope__in=Scope.values), name="a_scope_is_known")]

    def __str__(self) -> str:
        return str(self.user)


class CredentialUse(models.Model):
    """When a credential was last used, up to a minute ago (`use.EVERY`). A credential that never was has no row.

    The database deletes it with the credential. Django would look for it first, and miss one that is written meanwhile.
    """

    credential: Any = models.OneToOneField(
        "knox.AuthToken", on_delete=models.DO_NOTHING, db_constraint=False, primary_key=True, related_name="use"
    )
    last_used_at = models.DateTimeField()

    class Meta:
        verbose_name = "last use of a credential"
        verbose_name_plural = "last uses of credentials"

    def __str__(self) -> str:
        return f"{self.last_used_at:%Y-%m-%d %H:%M}"
