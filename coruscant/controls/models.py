"""Controls: who pulled what, why, and until when."""

from datetime import timedelta
from typing import Final

from django.db import models
from django.db.models import F, Q

from coruscant.history.records import AuditedHistory

#: What one person may pull alone lasts no longer.
ALONE: Final = timedelta(hours=1)


class ControlKind(models.TextChoices):
    """What a control does while it holds."""

    PAUSE_CLAIMS = "pause_claims", "Pause claims"
    PAUSE_ACTIVATIONS = "pause_activations", "Pause activations"
    NO_NEW_ORDERS = "no_new_orders", "No new orders to a market"
    SET_ASIDE = "set_aside", "Set a market's prices aside"


#: These are pulled for one market each, the others for the whole bank.
OF_A_MARKET: Final = (ControlKind.NO_NEW_ORDERS, ControlKind.SET_ASIDE)


class Control(models.Model):
    """Something that a person has pulled. It holds in [`began_at`, `until`), and ends by itself.

    Of one kind, and market if it is of one, no two hold at the same time. `until` moves forward when it is extended,
    and back to the present when it is ended early; its history keeps what it was.
    """

    kind = models.CharField(max_length=32, choices=ControlKind.choices)
    market = models.CharField(max_length=32, blank=True, default="")
    began_at = models.DateTimeField()
    until = models.DateTimeField(help_text="When it ends, or was ended")
    why = models.TextField()
    pulled_by = models.CharField(max_length=310)
    pulled_by_id = models.BigIntegerField(null=True, help_text="Of two people, whoever asked")
    on_command_line = models.BooleanField(
        default=False, help_text="Pulled in this person's name by a command, so without a log-in"
    )
    two_people = models.BooleanField(default=False, help_text="Two people have agreed on how long it lasts")
    ended_by = models.CharField(max_length=310, blank=True, default="", help_text="Empty: it ends by itself")

    history = AuditedHistory()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ControlKind.values), name="a_control_has_a_known_kind"),
            models.CheckConstraint(
                condition=Q(kind__in=OF_A_MARKET) & ~Q(market="") | ~Q(kind__in=OF_A_MARKET) & Q(market=""),
                name="a_control_is_of_a_market_or_of_the_bank",
            ),
            models.CheckConstraint(condition=Q(until__gte=F("began_at")), name="a_control_ends_after_it_begins"),
            models.CheckConstraint(condition=~Q(why=""), name="a_control_has_a_reason"),
            models.CheckConstraint(
                condition=Q(two_people=True) | Q(until__lte=F("began_at") + ALONE), name="one_person_has_an_hour"
            ),
        ]
        indexes = [models.Index(fields=["kind", "until"], name="controls_by_end")]

    def __str__(self) -> str:
        of = f" ({self.market})" if self.market else ""
        return f"{self.get_kind_display()}{of}, No. {self.pk}"
