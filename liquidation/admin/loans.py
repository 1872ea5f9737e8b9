"""What the liquidation app adds to the page of a loan: the claims that a pause has withheld."""

from typing import Any

from django.http import HttpRequest

from coruscant.admin.base import ReadOnlyInline
from coruscant.admin.columns import amount_column, column, instant_column
from coruscant.admin.figures import link_to
from liquidation.controls.models import WithheldClaim
from loans.admin.loans import LoanAdmin


class WithheldClaimOfLoanInline(ReadOnlyInline):
    """The pauses that have spared the loan, the latest first."""

    model = WithheldClaim
    verbose_name_plural = "Claims that a pause has withheld"
    fields: Any = ("of_control", "price_gc", "price_instant", "owed", "units", "withheld")
    ordering = ("-id",)
    of_control = column("Pause", lambda row: link_to(row.control))
    price_gc = amount_column("price", "GC a unit", "Price that breached it")
    price_instant = instant_column("price_at", "From")
    owed = amount_column("outstanding_balance", "GC", "Owed then")
    units = amount_column("collateral", "units", "Collateral then")
    withheld = instant_column("withheld_at", "Spared")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("control")


# The loans app must not import this one.
LoanAdmin.inlines = (*LoanAdmin.inlines, WithheldClaimOfLoanInline)
