"""Loans that a pause of claims has spared."""

from django.db import models

from coruscant.controls.models import Control
from coruscant.fields import AmountField
from loans.models import Loan


class WithheldClaim(models.Model):
    """A loan that an evaluation would have claimed, but for a pause: the first time in that pause.

    The database refuses to change or delete it.
    """

    # No index of its own: `a_pause_withholds_a_claim_once` begins with this column.
    control = models.ForeignKey(Control, on_delete=models.PROTECT, related_name="withheld_claims", db_index=False)
    # Loans are never deleted, and a foreign key of the database would lock each of them against postings.
    loan = models.ForeignKey(
        Loan, on_delete=models.PROTECT, related_name="withheld_claims", db_constraint=False, db_index=False
    )
    price = AmountField(help_text="The best price that breached it, GC a unit")
    price_at = models.DateTimeField(help_text="Where that price began")
    outstanding_balance = AmountField(help_text="GC owed then")
    collateral = AmountField(help_text="Units it had then")
    withheld_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = [models.UniqueConstraint(fields=["control", "loan"], name="a_pause_withholds_a_claim_once")]

    def __str__(self) -> str:
        return f"{self.loan}, spared at {self.price:f} GC a unit"
