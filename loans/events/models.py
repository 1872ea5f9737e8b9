"""The outbox of loan events, and the topic that they go to."""

from django.db import models
from django.db.models import Q

from coruscant.outbox import OutboxEvent
from loans.models import Loan


class LoanEventType(models.TextChoices):
    """What a loan event tells of."""

    APPLICATION = "application", "Application"
    ACTIVATION = "activation", "Activation"
    MARGIN_NOTICE = "margin-notice", "Margin notice"
    MARGIN_CALL = "margin-call", "Margin call"
    MARGIN_CALL_CLEARED = "margin-call-cleared", "Margin call cleared"
    LIQUIDATION_STARTED = "liquidation-started", "Liquidation started"


class LoanEvent(OutboxEvent):
    """One transition of a loan, as it was told or is to be told. `created_at` is the instant of the transition.

    Written by `write_events` only. The database refuses to delete it, and to change anything but the marks of sending.
    """

    # No index of its own: `loan_events_are_numbered` begins with this column.
    loan = models.ForeignKey(Loan, on_delete=models.PROTECT, related_name="events", db_index=False)
    sequence = models.PositiveIntegerField(help_text="1 for a loan's first event")
    event_type = models.CharField(max_length=32, choices=LoanEventType.choices)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["loan", "sequence"], name="loan_events_are_numbered"),
            models.CheckConstraint(
                condition=Q(event_type__in=LoanEventType.values), name="a_loan_event_has_a_known_type"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="loan_events_due", condition=Q(sent_at__isnull=True)),
            # Every page of the admin asks for the oldest.
            models.Index(fields=["created_at"], name="loan_events_unsent", condition=Q(sent_at__isnull=True)),
            models.Index(fields=["event_id"], name="loan_events_by_event_id"),
            models.Index(fields=["event_type", "-id"], name="loan_events_by_type"),
        ]


class LoanEventTopic(models.Model):
    """The topic of loan events, in one row; none while there is no row.

    A row and not the environment, so that all processes begin at the same instant. `since` is the instant from which
    every transition has an event.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    topic = models.CharField(max_length=256)
    since = models.DateTimeField(help_text="Every transition from this instant on has an event")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_topic_of_loan_events")]

    def __str__(self) -> str:
        return self.topic
