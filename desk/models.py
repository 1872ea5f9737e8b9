"""What the desk keeps of its own: snapshots of the book's risk, saved scenarios, prices at risk, and policy replays.

Nothing of it decides anything about a loan.
"""

from django.db import models

from coruscant.fields import SUM_DIGITS, AmountField
from desk.replay.models import PolicyReplay
from desk.stress.models import PriceAtRisk

__all__ = ["BookSnapshot", "PolicyReplay", "PriceAtRisk", "StressScenario"]


class BookSnapshot(models.Model):
    """The active loans by debt per unit at an instant: from it follow their LTVs at every price.

    `buckets` has, by version of the terms, a list of `[number of the bucket, loans, Σ outstanding balance,
    Σ collateral]` with the sums as decimal strings (GC, units); `desk/book/buckets.py` has the bounds.
    """

    taken_at = models.DateTimeField(unique=True)
    milliseconds = models.PositiveIntegerField(help_text="How long reading the book took")
    price = AmountField(null=True, help_text="Best price then, GC a unit; empty while no quote held")
    lowest_price = AmountField(null=True, help_text="Lowest best price since the snapshot before, GC a unit")
    loans = models.PositiveIntegerField(help_text="Active loans")
    outstanding_balance = AmountField(max_digits=SUM_DIGITS, help_text="GC, of active loans")
    collateral = AmountField(max_digits=SUM_DIGITS, help_text="Units, of active loans")
    buckets = models.JSONField()

    class Meta:
        ordering = ("-taken_at",)
        permissions = [("take_evidence", "Can take the evidence of a loan")]

    def __str__(self) -> str:
        return f"book of {self.taken_at:%Y-%m-%d %H:%M:%S} UTC"


class StressScenario(models.Model):
    """A question somebody has saved: what would the book be at this price, or after this fall?"""

    name = models.CharField(max_length=80, unique=True)
    price = AmountField(null=True, blank=True, help_text="GC a unit")
    fall = AmountField(null=True, blank=True, help_text="As a ratio of the best price: 0.3 is 30 %")
    saved_by = models.CharField(max_length=150)
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(price__isnull=False, price__gt=0, fall__isnull=True)
                | models.Q(price__isnull=True, fall__isnull=False, fall__gte=0, fall__lt=1),
                name="a_scenario_has_a_price_or_a_fall",
            ),
        ]

    def __str__(self) -> str:
        return self.name
