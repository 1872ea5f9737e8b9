"""Which databases were accepted as the bank's books, and what restores have begun."""

from django.db import models
from django.db.models import Q

from coruscant.history.records import AuditedHistory


class DatabaseIdentity(models.Model):
    """A database that was accepted as the bank's books; the newest row counts. A doubt means that it no longer is.

    The first is accepted by whoever first asks: a database that was never used has lost nothing.
    """

    system_identifier = models.BigIntegerField(help_text="Of the cluster; initdb makes it, and copies keep it")
    timeline = models.IntegerField(help_text="Counts promotions and recoveries of the cluster")
    database = models.BigIntegerField(help_text="The database's oid: a dump that is restored gets another")
    accepted_at = models.DateTimeField()
    accepted_by = models.CharField(max_length=150)
    doubt = models.TextField(blank=True, default="", help_text="Why it is no longer accepted")

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "database identities"

    def __str__(self) -> str:
        return f"cluster {self.system_identifier}, timeline {self.timeline}, database {self.database}"


class Restore(models.Model):
    """The books went back to an earlier instant, `since`: what was committed after it may be lost.

    Sales and events that it may concern wait until statements of all markets have been compared (`compared_at`).
    Claims wait until the OTC service has repeated its requests (`claims_released_at`).
    """

    since = models.DateTimeField(help_text="The books may lack what was committed after this instant")
    reason = models.TextField(blank=True, default="")
    begun_at = models.DateTimeField(help_text="When the database was accepted, and everything held")
    begun_by = models.CharField(max_length=150)
    compared_at = models.DateTimeField(null=True, help_text="When statements of all markets covered it")
    claims_released_at = models.DateTimeField(null=True)
    claims_released_by = models.CharField(max_length=310, blank=True, default="")

    history = AuditedHistory()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(claims_released_at__isnull=True, claims_released_by="")
                | (Q(claims_released_at__isnull=False) & ~Q(claims_released_by="")),
                name="claims_are_released_by_somebody",
            ),
            models.CheckConstraint(condition=Q(since__lte=models.F("begun_at")), name="a_restore_goes_back"),
        ]

    def __str__(self) -> str:
        return f"restore to {self.since:%Y-%m-%d %H:%M:%S} UTC"
