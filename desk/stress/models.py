"""What prices have been, and what as bad a fall would do to the book."""

from django.db import models
from django.db.models import Q

from coruscant.fields import SUM_DIGITS, AmountField

_EFFECT = ("fall", "price", "called", "sold", "owed", "units", "shortfall")


class PriceAtRisk(models.Model):
    """A fall that recorded prices exceed within so many hours in `100 - percent` of 100 cases, and its effect.

    All of that is empty while there is too little history. Computed anew every few minutes, in place.
    """

    hours = models.PositiveSmallIntegerField(help_text="Within so many hours")
    percent = models.PositiveSmallIntegerField(help_text="Not exceeded in so many of 100 cases")
    computed_at = models.DateTimeField()
    history = models.DurationField(help_text="How much recorded price it rests on")
    history_needed = models.DurationField(help_text="How much it needs")
    fall = AmountField(null=True, help_text="As a share of the best price")
    price = AmountField(null=True, help_text="After that fall, GC a unit")
    called = models.PositiveIntegerField(null=True, help_text="Loans that would get a margin call")
    sold = models.PositiveIntegerField(null=True, help_text="Loans that would be liquidated")
    owed = AmountField(max_digits=SUM_DIGITS, null=True, help_text="GC, by those")
    units = AmountField(max_digits=SUM_DIGITS, null=True, help_text="To sell")
    shortfall = AmountField(max_digits=SUM_DIGITS, null=True, help_text="GC")

    class Meta:
        ordering = ("hours", "percent")
        verbose_name_plural = "prices at risk"
        constraints = [
            models.UniqueConstraint(fields=["hours", "percent"], name="one_price_at_risk_a_horizon_and_share"),
            models.CheckConstraint(
                condition=Q(**{f"{name}__isnull": True for name in _EFFECT})
                | Q(**{f"{name}__isnull": False for name in _EFFECT}),
                name="a_price_at_risk_is_whole_or_empty",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.percent} % of falls within {self.hours} h"
