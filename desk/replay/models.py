"""Replays that people have asked for, and what came out."""

from decimal import Decimal
from typing import Final

from django.db import models

from coruscant.fields import AmountField

#: What a replay can change, in the order in which people name them.
LTVS: Final = ("liquidation_ltv", "margin_call_ltv", "margin_call_clear_ltv")
#: Settings of the guard over prices, as shares of a price: from which change on a quote is a jump, and within which
#: another market's quote confirms it.
GUARD: Final = ("guard_jump", "guard_agreement")
NAMES: Final = (*LTVS, *GUARD)


class PolicyReplay(models.Model):
    """The prices of a past interval against the book as it was, under terms it did not have.

    LTVs and the guard's settings are ratios; where one is empty, each loan is held to that of its own terms, and the
    guard was as it was. `result` is what
    `desk/replay/service.py` makes, of some loans only if it is done in part; empty until a worker has done it, whose it
    is until `taken_until`.
    """

    class Status(models.TextChoices):
        """How far it is."""

        WAITING = "waiting", "Waiting"
        DONE = "done", "Done"
        PART = "part", "Done in part"
        FAILED = "failed", "Failed"

    start = models.DateTimeField()
    end = models.DateTimeField()
    margin_call_ltv = AmountField(null=True)
    margin_call_clear_ltv = AmountField(null=True)
    liquidation_ltv = AmountField(null=True)
    guard_jump = AmountField(null=True)
    guard_agreement = AmountField(null=True)
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.WAITING)
    taken_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often a worker took it")
    finished_at = models.DateTimeField(null=True)
    result = models.JSONField(null=True)
    error = models.TextField(blank=True, default="")

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(condition=models.Q(start__lt=models.F("end")), name="a_replay_has_an_interval"),
        ]

    def __str__(self) -> str:
        return f"replay of {self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC"

    @property
    def named(self) -> dict[str, Decimal]:
        """What was named, by its columns."""
        return {name: share for name in NAMES if (share := getattr(self, name)) is not None}
