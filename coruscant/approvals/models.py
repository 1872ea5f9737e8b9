"""What was asked, what it would do, and who decided."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import MD5, Cast

from coruscant.history.records import AuditedHistory


class Outcome(models.TextChoices):
    """What became of it."""

    ASKED = "asked", "Waiting for a second person"
    EXECUTED = "executed", "Agreed and done"
    FAILED = "failed", "Agreed, but not done"
    REFUSED = "refused", "Refused"
    WITHDRAWN = "withdrawn", "Withdrawn by whoever asked"
    EXPIRED = "expired", "Expired"


#: Both people have had their say in these.
AGREED = (Outcome.EXECUTED, Outcome.FAILED)
_BY_A_PERSON = (*AGREED, Outcome.REFUSED, Outcome.WITHDRAWN)

ASKED_ONCE = "the_same_is_asked_once_at_a_time"


class Approval(models.Model):
    """Something that one person asked for and another decides.

    A row is written twice: when it is asked, and when it is decided or expires. A trigger refuses anything else, so
    nothing is executed twice, and what was agreed to is what was asked. People are kept as plain ids and names, as in
    history: an account may be deleted.
    """

    action = models.CharField(max_length=100, help_text="The name under which the action is registered")
    arguments = models.JSONField(help_text="Exactly what is asked for; figures are strings")
    effect = models.TextField(help_text="What it would do, as both people were shown it")
    why = models.TextField(help_text="The reason, by whoever asked")
    asked_by_id = models.BigIntegerField()
    asked_by_name = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    on_command_line = models.BooleanField(
        default=False, help_text="Asked in this person's name by a command, so without a log-in"
    )
    expires_at = models.DateTimeField()
    outcome = models.CharField(max_length=16, choices=Outcome.choices, default=Outcome.ASKED)
    decided_by_id = models.BigIntegerField(null=True)
    decided_by_name = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    note = models.TextField(blank=True, help_text="What was done, why it failed, or why it was refused")

    history = AuditedHistory()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(condition=~Q(why="") & ~Q(effect=""), name="who_asks_says_what_and_why"),
            models.CheckConstraint(
                condition=Q(
                    outcome=Outcome.ASKED,
                    decided_by_id__isnull=True,
                    decided_by_name="",
                    decided_at__isnull=True,
                    note="",
                )
                | Q(
                    outcome=Outcome.EXPIRED,
                    decided_by_id__isnull=True,
                    decided_by_name="",
                    decided_at__isnull=False,
                    decided_at__gte=F("expires_at"),
                )
                | (
                    Q(outcome__in=_BY_A_PERSON, decided_by_id__isnull=False, decided_at__isnull=False)
                    & ~Q(decided_by_name="")
                ),
                name="a_decision_says_who_and_when",
            ),
            models.CheckConstraint(
                condition=Q(decided_by_id__isnull=True)
                | Q(outcome=Outcome.WITHDRAWN, decided_by_id=F("asked_by_id"))
                | (~Q(outcome=Outcome.WITHDRAWN) & ~Q(decided_by_id=F("asked_by_id"))),
                name="nobody_decides_what_they_asked",
            ),
            models.CheckConstraint(
                condition=~Q(outcome__in=AGREED) | Q(decided_at__lt=F("expires_at")), name="it_was_agreed_in_time"
            ),
            models.CheckConstraint(
                condition=~Q(outcome__in=(Outcome.FAILED, Outcome.REFUSED)) | ~Q(note=""),
                name="a_failure_or_refusal_says_why",
            ),
            models.UniqueConstraint(
                "action",
                MD5(Cast("arguments", models.TextField())),
                condition=Q(outcome=Outcome.ASKED),
                name=ASKED_ONCE,
            ),
        ]

    def __str__(self) -> str:
        """As its pages are titled."""
        return f"No. {self.pk}"
