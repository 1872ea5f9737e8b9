"""Claims that failed, as bank representatives see them, and how many there are."""

from django.contrib import admin
from django.utils.safestring import SafeString

from coruscant.admin.base import ReadOnlyAdmin
from coruscant.admin.figures import amount_column, instant_column, link_to
from coruscant.admin.overview import cards, count_card
from liquidation.models import ClaimFailure

cards.append(lambda _request: count_card("Failed claims", ClaimFailure.objects.all(), "Loans passed over"))


@admin.register(ClaimFailure)
class ClaimFailureAdmin(ReadOnlyAdmin):
    """Breached loans whose claim the database refused: a person must find out why."""

    list_display = ("failed", "of_loan", "price_gc", "reason")
    list_select_related = ("loan",)
    search_fields = ("loan__loan_id__startswith",)
    search_help_text = "The beginning of a loan id"
    fieldsets = ((None, {"fields": ("of_loan", "failed", "price_gc", "reason")}),)
    failed = instant_column("failed_at", "Latest try")
    price_gc = amount_column("price", "GC a unit", "Price")

    @admin.display(description="Loan")
    def of_loan(self, failure: ClaimFailure) -> str | SafeString:
        """A link."""
        return link_to(failure.loan)
